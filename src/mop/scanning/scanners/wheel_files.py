"""Private wheels for the scanner `wheels`: read as archives, never installed."""

from __future__ import annotations

import re
import stat
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from packaging import tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from mop.file_names import name_fault, quoted
from mop.scanning.findings import Severity, too_slow
from mop.scanning.formats.member_names import leads_out
from mop.scanning.limits import MIB, ScanLimits
from mop.scanning.reader import TooMuchError, TooSlowError
from mop.scanning.scanners.wheel_records import RECORD_BYTES_MAX, Recorded, digest_of, read_record
from mop.scanning.scanners.wheel_rules import (
    PUBLIC,
    programs_of,
    shadowed_package,
    shadowed_program,
    start_up_lines,
)
from mop.wheel_names import start_up_hooks

Tell = Callable[[str, Severity, str, str, str], None]
"""Takes rule, severity, message, hint and position."""

_TEXT_BYTES_MAX = MIB
_NATIVE = re.compile(r"(?i).*\.(?:so|pyd|dll|dylib)(?:\.[0-9.]+)?")
_DATA = re.compile(r"[^/]+\.data/(?P<kind>[^/]+)/(?P<rest>.+)")
_INSTALLED = re.compile(r"lib(?:64)?/python[0-9.]+/site-packages/(.+)")
_SIGNATURES = ("/RECORD", "/RECORD.jws", "/RECORD.p7s")
_REBUILD = "Build the wheel again from its source, with an ordinary tool, and leave this out."
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
)
_SHOWN = 5


class WheelFile:
    """Looks at one wheel.

    Args:
        path: the file.
        tell: takes what is found.
        required: canonical names that requirements.txt asks for.
        python: the model's Python as (major, minor); None when it is not known.
        limits: bounds.
    """

    def __init__(
        self,
        path: Path,
        tell: Tell,
        *,
        required: frozenset[str],
        python: tuple[int, int] | None,
        limits: ScanLimits,
    ) -> None:
        self._path = path
        self._tell = tell
        self._required = required
        self._python = python
        self._limits = limits
        self._left = self._most = 0
        self._began = time.process_time()

    def look(self) -> str:
        """Tell of everything; why it was not seen whole, if so.

        Raises:
            TooMuchError, TooSlowError: it is made so that reading it takes more than its size is worth.
        """
        try:
            owner, _, _, wheel_tags = parse_wheel_filename(self._path.name)
        except InvalidWheelFilename:
            return "its name is not that of a wheel"
        self._fits(wheel_tags)
        self._takes_a_name(owner)
        size = self._path.stat().st_size
        self._left = self._most = self._limits.expanded_bytes(size)
        try:
            with zipfile.ZipFile(self._path) as archive:
                members = archive.infolist()
                if len(members) > self._limits.members:
                    raise TooMuchError(f"it holds more than {self._limits.members:,} files")
                self._names(members)
                self._brings(archive, members, owner)
                self._native(members, pure=all(tag.platform == "any" for tag in wheel_tags))
                return self._records(archive, members)
        except _UNREADABLE as error:
            return f"it is no readable wheel ({type(error).__name__})"

    def _fits(self, wheel_tags: frozenset[tags.Tag]) -> None:
        if self._python is not None:
            fitting = {
                *tags.cpython_tags(self._python),
                *tags.compatible_tags(self._python, f"cp{self._python[0]}{self._python[1]}"),
            }
            fits, target = bool(fitting & wheel_tags), "Python {}.{} on this system".format(*self._python)
        else:
            platforms = {"any", *tags.platform_tags()}
            fits, target = any(tag.platform in platforms for tag in wheel_tags), "this system"
        if not fits:
            made_for = ", ".join(sorted(str(tag) for tag in wheel_tags)[:_SHOWN])
            message = f"It is made for {made_for} and does not fit {target}."
            self._tell(
                "wrong-platform", Severity.MEDIUM, message, "Build the wheel for the model's Python, on Linux.", ""
            )

    def _takes_a_name(self, owner: str) -> None:
        where = "requirements.txt" if owner in self._required else "a public package" if owner in PUBLIC else ""
        if where:
            message = f"Its name {owner} is also that of {where}; the wheel would take its place."
            self._tell("shadows-package", Severity.MEDIUM, message, "Give the package a name of your own.", "")

    def _names(self, members: list[zipfile.ZipInfo]) -> None:
        for member in members:
            # `filename` is cut at a zero byte and has the system's separators; an installer may read the original
            name = member.orig_filename.removesuffix("/")
            linked = stat.S_ISLNK(member.external_attr >> 16)
            if linked or leads_out(name):
                how = "is a link" if linked else "would be installed outside of the environment"
                self._tell("path-escape", Severity.CRITICAL, f"Its member {quoted(name)} {how}.", _REBUILD, "")
            elif fault := name_fault(name):
                message = f"Its member {quoted(name)} has a name that misleads: {fault}."
                self._tell("strange-name", Severity.MEDIUM, message, _REBUILD, "")
        twice = [name for name, count in Counter(member.filename for member in members).items() if count > 1]
        if twice:
            message = f"It holds {quoted(twice[0])} more than once: tools do not agree which counts."
            self._tell("duplicate-member", Severity.MEDIUM, message, _REBUILD, "")

    def _brings(self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], owner: str) -> None:
        """What takes effect where it is installed: hooks, scripts, modules."""
        modules = set()
        for member in members:
            kind, rest = _installed_as(member.filename)
            if kind == "library":
                modules.add(rest.partition("/")[0].removesuffix(".py"))
                if start_up_hooks([rest]):
                    self._hook(archive, member, rest)
            elif kind == "script":
                self._program(rest, owner)
            if re.fullmatch(r"[^/]+\.dist-info/entry_points\.txt", member.filename):
                for program in programs_of(self._text(archive, member, _TEXT_BYTES_MAX)):
                    self._program(program, owner)
        for module in sorted(modules):
            if public := shadowed_package(module, owner):
                message = f"It brings the module {module}, which is that of the public package {public}."
                self._tell("shadows-module", Severity.MEDIUM, message, "Give the module a name of your own.", "")

    def _hook(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, rest: str) -> None:
        message = f"Its {quoted(rest)} runs code at every start of Python, whatever the model does."
        hint = "Leave it out; import what is needed in inference.py."
        if not rest.endswith(".pth"):
            self._tell("start-up-code", Severity.CRITICAL, message, hint, "")
            return
        for number, _ in start_up_lines(self._text(archive, member, _TEXT_BYTES_MAX)):
            self._tell("start-up-code", Severity.CRITICAL, message, hint, f"line {number} of {quoted(rest)}")

    def _program(self, program: str, owner: str) -> None:
        if shadowed_program(program, owner):
            message = f"It installs a script named {quoted(program)}, which takes the place of the real one."
            self._tell("shadows-program", Severity.CRITICAL, message, "Give the script another name.", "")

    def _native(self, members: list[zipfile.ZipInfo], *, pure: bool) -> None:
        native = [member.filename for member in members if _NATIVE.fullmatch(member.filename)]
        if not native:
            return
        message = f"It brings native code, which nobody can read: {listed(native)}."
        hint = "Keep the source of the native code where those who review the model find it."
        self._tell("native-code", Severity.LOW, message, hint, "")
        if pure:
            message = f"It says that it fits every platform, and brings native code: {listed(native)}."
            self._tell("native-code-in-pure-wheel", Severity.MEDIUM, message, "Build it for its platform.", "")

    def _records(self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> str:
        found = [one for one in members if re.fullmatch(r"[^/]+\.dist-info/RECORD", one.filename)]
        if len(found) != 1:
            message = f"It has {len(found)} RECORD files in place of one; what it installs cannot be checked."
            self._tell("no-record", Severity.MEDIUM, message, _REBUILD, "")
            return ""
        recorded = {one.path: one for one in read_record(self._text(archive, found[0], RECORD_BYTES_MAX))}
        for path in recorded:
            if leads_out(path):
                message = f"Its RECORD names {quoted(path)}, outside of the environment."
                self._tell("path-escape", Severity.CRITICAL, message, _REBUILD, "")
        there = {member.filename: member for member in members if not member.is_dir()}
        extra = [name for name in there if name not in recorded and not name.endswith(_SIGNATURES)]
        missing = [name for name in recorded if name not in there]
        wrong = [name for name, member in there.items() if self._differs(archive, member, recorded.get(name))]
        for rule, names, what in (
            ("not-in-record", extra, "does not list"),
            ("missing-file", missing, "lists, but the wheel does not hold,"),
            ("differs-from-record", wrong, "gives other digests than they have for"),
        ):
            if names:
                message = f"Its RECORD {what} {listed(names)}: it was changed after it was built."
                self._tell(rule, Severity.MEDIUM, message, _REBUILD, "")
        return ""

    def _differs(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, recorded: Recorded | None) -> bool:
        if recorded is None or not recorded.digest:
            return False
        with archive.open(member) as stream:
            return digest_of(recorded.digest, stream.read, self._spend) != recorded.digest.rstrip("=")

    def _text(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> str:
        with archive.open(member) as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            raise TooMuchError(f"its {quoted(member.filename)} is larger than {most:,} bytes")
        return content.decode("utf-8", "replace")

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise TooMuchError("it unpacks to far more than its size: a decompression bomb")
        most = self._limits.seconds_for(self._most - self._left)
        if time.process_time() - self._began > most:
            raise TooSlowError(too_slow(most))


def _installed_as(member: str) -> tuple[str, str]:
    """Where a member goes: ("library" | "script" | "", its path there)."""
    data = _DATA.fullmatch(member)
    if data is None:
        return "library", member
    kind, rest = data["kind"], data["rest"]
    if kind in {"purelib", "platlib"}:
        return "library", rest
    if kind == "scripts" or (kind == "data" and rest.startswith("bin/")):
        return "script", rest.removeprefix("bin/")
    library = _INSTALLED.fullmatch(rest) if kind == "data" else None
    return ("library", library[1]) if library else ("", rest)


def listed(names: list[str]) -> str:
    """Some names, for a message."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(quoted(name) for name in names[:_SHOWN]) + more
