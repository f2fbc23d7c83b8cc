"""What an environment holds, read from its files and never by running its Python (a `.pth` would run)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

MAX_METADATA_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Installed:
    """One installed distribution; `requires` are the canonical names it asks for."""

    name: str
    version: str
    requires: frozenset[str]


def site_packages(environment: Path) -> Path:
    """The environment's library folder.

    Raises:
        FileNotFoundError: it has none.
    """
    for folder in sorted((environment / "lib").glob("python3.*/site-packages")):
        if folder.is_dir() and not folder.is_symlink():
            return folder
    raise FileNotFoundError(f"{environment} has no site-packages")


def read_installed(environment: Path) -> list[Installed]:
    """The distributions of an environment, by name."""
    folders = sorted(site_packages(environment).glob("*.dist-info"))
    return sorted(
        (_read(folder) for folder in folders if folder.is_dir() and not folder.is_symlink()), key=lambda one: one.name
    )


def open_to_read(folder: Path) -> None:
    """Let everyone read the tree and nobody but its owner write it; links are left alone."""
    for path, mode in _walk(folder):
        wanted = (mode | 0o444) & ~0o022 & 0o777
        if stat.S_ISDIR(mode) or mode & 0o100:
            wanted |= 0o111
        if wanted != stat.S_IMODE(mode):
            path.chmod(wanted)


def _walk(folder: Path) -> Iterator[tuple[Path, int]]:
    yield folder, folder.lstat().st_mode
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path), entry.stat(follow_symlinks=False).st_mode


def _read(folder: Path) -> Installed:
    path = folder / "METADATA"
    text = ""
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            text = file.read(MAX_METADATA_BYTES).decode("utf-8", "replace")
    headers = HeaderParser().parsestr(text)
    name, version = headers.get("Name"), headers.get("Version")
    if not name or not version:  # it is there all the same: what it is called outside has to do
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
    requires = set()
    for one in headers.get_all("Requires-Dist", []):
        try:
            requires.add(str(canonicalize_name(ParsedRequirement(one).name)))
        except (InvalidRequirement, RecursionError):
            continue
    return Installed(canonicalize_name(name), version.strip(), frozenset(requires))
