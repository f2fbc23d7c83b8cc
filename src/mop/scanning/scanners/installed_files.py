"""A built environment for the scanner `wheels`: its files are read, its Python never runs."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from packaging.utils import canonicalize_name

from mop.file_names import quoted
from mop.scanning.findings import Severity, too_slow
from mop.scanning.limits import MIB, ScanLimits
from mop.scanning.reader import TooMuchError, TooSlowError
from mop.scanning.scanners.wheel_files import Tell, listed
from mop.scanning.scanners.wheel_records import RECORD_BYTES_MAX, Recorded, digest_of, read_record
from mop.scanning.scanners.wheel_rules import shadowed_program, start_up_lines
from mop.wheel_names import start_up_hooks

_TEXT_BYTES_MAX = MIB
_FILES_MAX = 1_000_000
_CACHE = "__pycache__"
_AGAIN = "Build the environment again. If it stays, leave the package out that does this, or ask its authors."


@dataclass(frozen=True)
class Distribution:
    """An installed package.

    Attributes:
        place: how findings name it.
        name: its canonical name.
        recorded: what its RECORD lists.
    """

    place: str
    name: str
    recorded: tuple[Recorded, ...]


@dataclass
class Installed:
    """A site-packages folder and what its packages say that they brought.

    Attributes:
        root: the environment.
        site: its library folder.
        distributions: its packages.
        claims: by path below the environment, who brought it and which digests it may have.
    """

    root: Path
    site: Path
    limits: ScanLimits
    distributions: list[Distribution] = field(default_factory=list)
    claims: dict[str, tuple[Distribution, set[str]]] = field(default_factory=dict)

    def distribution(self, folder: Path, place: str, tell: Tell) -> None:
        """Read the RECORD of a `.dist-info` folder. All are read before any is compared: several may bring one file."""
        try:
            recorded = tuple(read_record(_text(folder / "RECORD", RECORD_BYTES_MAX)))
        except (OSError, ValueError, TooMuchError) as error:
            message = f"Its RECORD cannot be read ({type(error).__name__}): what it installed cannot be checked."
            tell("no-record", Severity.MEDIUM, message, _AGAIN, "")
            recorded = ()
        one = Distribution(place, _name_and_version(folder)[0], recorded)
        self.distributions.append(one)
        for line in recorded:
            path = self.below(line)
            if path is None:
                message = f"Its RECORD names {quoted(line.path)}, outside of the environment."
                tell("path-escape", Severity.CRITICAL, message, _AGAIN, "")
            else:
                self.claims.setdefault(path, (one, set()))[1].add(line.digest.rstrip("="))

    def below(self, line: Recorded) -> str | None:
        """The path of a line below the environment, or None."""
        path = os.path.normpath(self.site / line.path)
        root = f"{os.path.normpath(self.root)}/"
        return path.removeprefix(root) if path.startswith(root) else None

    def compare(self, one: Distribution, tell: Tell) -> str:
        """Each file of a package with its digest; why some were not, if so.

        Raises:
            TooSlowError: it takes more processor time than its bytes are worth.
        """
        paths = {path: line for line in one.recorded if (path := self.below(line)) and not path.endswith(".pyc")}
        missing, wrong, spend = [], [], self._spender()
        try:
            for path, line in paths.items():
                try:
                    if self._differs(path, line, spend):
                        wrong.append(path)
                except (FileNotFoundError, NotADirectoryError):
                    missing.append(path)
        except (OSError, ValueError) as error:
            return f"a file of it cannot be read ({type(error).__name__})"
        if missing:
            message = f"It installed {listed(missing)}, which is not there."
            tell("missing-file", Severity.LOW, message, _AGAIN, "")
        if wrong:
            message = f"{listed(wrong)} is not as it was installed: something changed it afterwards."
            tell("differs-from-record", Severity.MEDIUM, message, _AGAIN, "")
        return ""

    def _spender(self) -> Callable[[int], None]:
        began, seen = time.process_time(), 0

        def spend(count: int) -> None:
            nonlocal seen
            seen += count
            most = self.limits.seconds_for(seen)
            if time.process_time() - began > most:
                raise TooSlowError(too_slow(most))

        return spend

    def _differs(self, path: str, line: Recorded, spend: Callable[[int], None]) -> bool:
        allowed = self.claims[path][1]
        with _opened(self.root / path) as file:
            if not line.digest or "" in allowed:
                return False
            return digest_of(line.digest, file.read, spend) not in allowed

    # What no package's list shows ------------------------------------------------------------------------------

    def hooks(self, tell: Tell) -> None:
        """What runs at every start of this Python."""
        hint = "Leave out the package that brings it, or ask its authors why it needs that."
        for entry in sorted(os.scandir(self.site), key=lambda one: one.name):
            name = entry.name if entry.is_file(follow_symlinks=False) else f"{entry.name}/"
            if not start_up_hooks([name]):
                continue
            message = f"{self._whose(entry)} put {quoted(entry.name)} there, which runs at every start of Python."
            if not name.endswith(".pth"):
                tell("start-up-code", Severity.CRITICAL, message, hint, "")
                continue
            try:
                lines = start_up_lines(_text(Path(entry.path), _TEXT_BYTES_MAX))
            except (OSError, TooMuchError):
                lines = [(1, True)]
            for number, dangerous in lines:
                severity = Severity.CRITICAL if dangerous else Severity.HIGH
                tell("start-up-code", severity, message, hint, f"line {number} of {quoted(entry.name)}")

    def programs(self, tell: Tell) -> None:
        """Scripts that take the place of others'."""
        folder = self.root / "bin"
        for entry in sorted(os.scandir(folder), key=lambda one: one.name) if folder.is_dir() else ():
            claim = self.claims.get(f"bin/{entry.name}")
            owner = claim[0].name if claim else ""
            if not shadowed_program(entry.name, owner) or _is_environments_own(entry, claimed=bool(owner)):
                continue
            message = f"{self._whose(entry)} put a script named {quoted(entry.name)} in the place of the real one."
            tell("shadows-program", Severity.CRITICAL, message, "Leave out the package that brings it.", "")

    def unclaimed(self, tell: Tell) -> str:
        """Files that no package says it brought: a build script left them."""
        extra = []
        for count, (path, entry) in enumerate(_walk(self.site), 1):
            if count > _FILES_MAX:
                return f"it holds more than {_FILES_MAX:,} files"
            below = os.path.relpath(path, self.root)
            if entry.is_symlink():
                target = os.path.realpath(path)
                if not target.startswith(f"{os.path.realpath(self.root)}/"):
                    message = f"{quoted(below)} is a link that leads out of the environment."
                    tell("path-escape", Severity.CRITICAL, message, _AGAIN, "")
            if below not in self.claims and not (path.endswith(".pyc") and Path(path).parent.name == _CACHE):
                extra.append(below)
        if extra:
            message = f"No package says that it brought {listed(sorted(extra))}."
            tell("not-in-record", Severity.MEDIUM, message, _AGAIN, "")
        return ""

    def _whose(self, entry: os.DirEntry[str]) -> str:
        claim = self.claims.get(os.path.relpath(entry.path, self.root))
        return f"The package {claim[0].name}" if claim else "Something"


def site_folders(environment: Path) -> list[Path]:
    """The library folders of an environment; links to them are left out."""
    found = sorted(environment.glob("lib*/python3.*/site-packages"))
    return [one for one in found if not any(part.is_symlink() for part in (one, one.parent, one.parent.parent))]


def place_of(folder: Path) -> str:
    """How findings name the package of a `.dist-info` folder."""
    return "environment:{}-{}".format(*_name_and_version(folder))


def _name_and_version(folder: Path) -> tuple[str, str]:
    name, _, version = folder.name.removesuffix(".dist-info").partition("-")
    return str(canonicalize_name(name)), version


def _walk(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry.path, entry


def _is_environments_own(entry: os.DirEntry[str], *, claimed: bool) -> bool:
    """Whether it is the interpreter, or a shell script to be sourced, as the environment was made with."""
    if claimed:
        return False
    return entry.name == "activate" or (entry.name.startswith("python") and entry.is_symlink())


def _opened(path: Path) -> BinaryIO:
    """A regular file; a link in its place is not followed, a pipe not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no regular file")
    return os.fdopen(descriptor, "rb")


def _text(path: Path, most: int) -> str:
    with _opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise TooMuchError(f"{path.name} is larger than {most:,} bytes")
    return content.decode("utf-8", "replace")
