"""What a build is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mop.environments.interpreters import Interpreter

Log = Callable[[str], None]
"""Takes one line without its newline, at most 4,000 characters."""

PrepareWritable = Callable[[Path], None]
"""Makes an empty folder writable for what runs in the cage (hands it to the service uid where MOP is root)."""


@dataclass(frozen=True)
class PythonDownloads:
    """Pythons that this host lacks may be fetched, into `folder`.

    `mirror` replaces the host of uv's own list of Pythons; one that ends in .json is a list of its own. None: uv's.
    """

    folder: Path
    mirror: str | None = None


@dataclass(frozen=True, kw_only=True)
class EnvironmentConfig:
    """One installation's rules for building environments.

    Attributes:
        root: holds caches, builds and finished environments; one file system, so that files are hard links.
        uv: full path of the uv program.
        interpreters: the Pythons that may be chosen, by `find_interpreters`.
        mop_utils_wheels: folder with MOP's own mop-utils wheel, by `build_mop_utils_wheel`.
        index_url: the package index; None is the public one. May carry credentials: they reach uv by environment only.
        allowed_indexes: what `--extra-index-url` lines may name.
        build_seconds: deadline of one build, waiting for another build of the same environment not counted.
        wheel_bytes_max: largest private wheel.
        certificates: file of certificate authorities for TLS; None is the system's, or uv's own with `proxy_folder`.
        file_hosts: hosts that the pages of the indexes link to, `host` or `host:port`.
        proxy_folder: a short folder of MOP's own for sockets, where the cage has a network of its own: steps reach the
            indexes through a proxy there and nothing else. None where it has not: they share the host's network.
        downloads: set where a missing Python may be fetched.
        index_retries: how often a request to the index is repeated before it counts as unavailable.
    """

    root: Path
    uv: Path
    interpreters: tuple[Interpreter, ...]
    mop_utils_wheels: Path
    index_url: str | None = None
    allowed_indexes: tuple[str, ...] = ()
    build_seconds: float = 1800.0
    wheel_bytes_max: int = 2_500_000_000
    certificates: Path | None = None
    file_hosts: tuple[str, ...] = ("files.pythonhosted.org",)
    proxy_folder: Path | None = None
    downloads: PythonDownloads | None = None
    index_retries: int = 3


@dataclass(frozen=True, kw_only=True)
class BuildCommand:
    """A step of a build that handles strangers' files or runs their code.

    Attributes:
        argv: complete, with full paths.
        env: the whole environment of the process.
        cwd: one of the writable folders.
        interpreter: the Python whose prefix must be readable beside `readable`.
        readable: files and folders to be seen at their own paths.
        writable: folders to be seen and written at their own paths.
        network: whether the step shares the host's network.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    interpreter: Path
    readable: tuple[Path, ...]
    writable: tuple[Path, ...]
    network: bool


Cage = Callable[[BuildCommand], list[str]]
"""Wraps a step in the sandbox: the argv to run in its place. `no_cage` runs it as it is."""


def no_cage(command: BuildCommand) -> list[str]:
    """The step without a sandbox."""
    return list(command.argv)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A finished environment.

    Attributes:
        key: SHA-256 over all that decides its content.
        path: the virtual environment's folder.
        python: its interpreter, `path`/bin/python.
        interpreter: the base interpreter it links to.
        python_version: exact version of that interpreter.
        pip_version: exact version of the pip in it.
        files: names this very build: the digest of the list of its files.
        packages: `name==version` of every installed distribution, sorted.
        reused: whether it was there before.
        seconds: how long this call took, waiting included.
        notes: what the owner should know: another patch of Python, shadowing wheels, start-up hooks.
    """

    key: str
    path: Path
    python: Path
    interpreter: Path
    python_version: str
    pip_version: str
    files: str
    packages: tuple[str, ...]
    reused: bool
    seconds: float
    notes: tuple[str, ...]
