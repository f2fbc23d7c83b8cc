"""Which Pythons this host has, and which of them a model gets."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mop.errors import SettingsFileError

OLDEST = (3, 8)  # mop-utils and the model process run on this and later

_PROGRAM = re.compile(r"python3\.[0-9]+")
_QUESTION = (
    "import json, sys; print(json.dumps([sys.implementation.name, list(sys.version_info[:3]), "
    "sys.version_info.releaselevel, sys.prefix == sys.base_prefix]))"
)


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this host: exact version and full path, never a shim or a virtual environment's."""

    version: str
    path: Path


@dataclass(frozen=True)
class Choice:
    """The interpreter a model gets; `note` says where it is not the exact patch that was asked for."""

    interpreter: Interpreter
    note: str | None = None


def find_interpreters(folders: Sequence[Path]) -> list[Interpreter]:
    """The CPython releases from 3.8 on in `folders`, newest first; of one version the first folder's.

    A folder is one of programs (/usr/bin), of one installation (with bin/), or of several (pyenv's versions).
    """
    found: dict[str, Interpreter] = {}
    for program in _programs(folders):
        status = program.stat()
        version = _ask(program, status.st_mtime_ns, status.st_size)
        if version is not None and version not in found:
            found[version] = Interpreter(version, program)
    return sorted(found.values(), key=lambda one: _parts(one.version), reverse=True)


def choose_interpreter(wanted: str, available: Sequence[Interpreter]) -> Choice:
    """The interpreter for `wanted` (`3.11` or `3.11.7`): that patch, else the newest patch of that minor.

    Raises:
        SettingsFileError: this host has no Python of that minor; names those it has.
    """
    parts = _parts(wanted)
    same_minor = sorted(_of_minor(wanted, available), key=lambda one: _parts(one.version))
    if not same_minor:
        have = ", ".join(one.version for one in sorted(available, key=lambda one: _parts(one.version))) or "none"
        raise SettingsFileError(
            f"src/settings.yml: env.python is {wanted}, and this installation has no Python "
            f"{'.'.join(map(str, parts[:2]))}. It has: {have}.",
            hint="Choose one of these versions, or ask the operator to install that Python.",
            place="src/settings.yml",
        )
    for one in same_minor:
        if _parts(one.version) == parts:
            return Choice(one)
    newest = same_minor[-1]
    if len(parts) == len(OLDEST):
        return Choice(newest)
    return Choice(
        newest, f"Python {wanted} is not installed here; the newest patch of that minor, {newest.version}, is used."
    )


def has_minor(wanted: str, available: Sequence[Interpreter]) -> bool:
    """Whether there is a Python of the minor of `wanted`."""
    return any(_of_minor(wanted, available))


def _of_minor(wanted: str, available: Sequence[Interpreter]) -> Iterator[Interpreter]:
    return (one for one in available if _parts(one.version)[:2] == _parts(wanted)[:2])


def _programs(folders: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        for pattern in ("python3.*", "bin/python3.*", "*/bin/python3.*"):
            for path in sorted(folder.glob(pattern)):
                if not _PROGRAM.fullmatch(path.name) or not path.is_file():
                    continue
                program = path.resolve()
                if program not in seen and _is_program(program) and not (path.parent.parent / "pyvenv.cfg").exists():
                    seen.add(program)
                    yield program


def _is_program(path: Path) -> bool:
    """Whether the file is a binary: pyenv's shims are shell scripts that choose another Python by the folder."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


@lru_cache(maxsize=256)
def _ask(program: Path, _mtime_ns: int, _size: int) -> str | None:
    """The program's version; None if it is no usable CPython release. Asked once per state of the file."""
    try:
        answer = subprocess.run(
            [str(program), "-I", "-c", _QUESTION], capture_output=True, timeout=20, check=True, stdin=subprocess.DEVNULL
        )
        implementation, version, level, is_base = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if implementation != "cpython" or level != "final" or not is_base or tuple(version[:2]) < OLDEST:
        return None
    return ".".join(map(str, version))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
