"""Whether an environment still is what was built: every file's size and time of change, listed when it was finished.

Bytecode is left out: it is made from the files that are listed, and one that is missing costs time only.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

LISTING = "files.txt"
_SHOWN = 3
_BYTECODE = "__pycache__"


def write_listing(folder: Path) -> str:
    """List the files of `folder`/venv in `folder`/files.txt; returns the listing's digest."""
    text = _listing(folder / "venv")
    (folder / LISTING).write_text(text, encoding="utf-8", errors="surrogateescape")
    (folder / LISTING).chmod(0o644)
    return _digest(text)


@dataclass(frozen=True)
class Damage:
    """What is wrong, in words; `in_place` where a file's bytes may have changed, and with them the cache's."""

    text: str
    in_place: bool = False


def find_damage(folder: Path, digest: str) -> Damage | None:
    """What differs from the listing with this digest; None if nothing does.

    Costs one lstat per file: about 8 µs, 60 ms for scikit-learn with all it needs.
    """
    text = _listing(folder / "venv")
    if _digest(text) == digest:
        return None
    try:
        listed = (folder / LISTING).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        listed = ""
    if _digest(listed) != digest:
        return Damage("its files differ from what was built, and its own list of them is damaged too", in_place=True)
    return _difference(_entries(listed), _entries(text))


def _listing(environment: Path) -> str:
    lines: list[str] = []
    start = len(os.fspath(environment)) + 1
    folders = [os.fspath(environment)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if not stat.S_ISDIR(status.st_mode):
                        lines.append(f"{status.st_size} {status.st_mtime_ns} {entry.path[start:]}\n")
                    elif entry.name != _BYTECODE:
                        folders.append(entry.path)
        except OSError:
            continue  # a folder that cannot be read: what it held is missing from the list
    return "".join(sorted(lines))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _entries(text: str) -> dict[str, str]:
    """State by path; a name with a line break in it, which no package has, is shown in pieces."""
    entries = {}
    for line in text.split("\n")[:-1]:
        *state, name = line.split(" ", 2)
        entries[name] = " ".join(state)
    return entries


def _difference(listed: dict[str, str], found: dict[str, str]) -> Damage:
    changed = {name for name in listed.keys() & found.keys() if listed[name] != found[name]}
    parts = []
    for what, names in (
        ("missing", listed.keys() - found.keys()),
        ("changed", changed),
        ("new", found.keys() - listed.keys()),
    ):
        if names:
            shown = ", ".join(sorted(names)[:_SHOWN])
            parts.append(f"{len(names)} {what} ({shown}{', ...' if len(names) > _SHOWN else ''})")
    return Damage(f"files: {'; '.join(parts)}", in_place=bool(changed))
