"""src/requirements.txt: names, versions and markers from a package index, and nothing else.

Whatever would read another file, fetch an address or change how the installer works is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from packaging.markers import UndefinedComparison
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from mop.environments.index_targets import without_credentials
from mop.environments.known_packages import DEPRECATED_NAMES
from mop.errors import RequirementsFileError

PLACE = "src/requirements.txt"
MAX_BYTES = 1024 * 1024
MAX_LINE = 20_000
MAX_SHOWN = 100
MAX_BAD_LINES = 20

_HASH = re.compile(r"--hash(?:=|\s+)(sha256:[0-9a-fA-F]{64}|sha384:[0-9a-fA-F]{96}|sha512:[0-9a-fA-F]{128})(?=\s|$)")
_EXTRA_INDEX = re.compile(r"--extra-index-url(?:=|\s+)(\S+)")
_ADDRESS = re.compile(r"^(\w+\+)?(https?|file|ftp|ssh|git|svn|hg|bzr)(\+\w+)?:", re.IGNORECASE)
_FREEZE = re.compile(r"@\s*file://", re.IGNORECASE)
_CONDA = re.compile(r"[\w.\-]+=[\w.!+]+=\w+")
_FREEZE_HINT = (
    "Such lines hold for the computer that wrote the file: write it with `pip list --format=freeze`, which gives names "
    "and versions alone."
)
_WHEELS_HINT = "Put the wheel into privatepkgs/, or name a package of the index with its version."


@dataclass(frozen=True)
class Requirement:
    """One requirement.

    Attributes:
        name: the canonical name (`scikit-learn`).
        line: where it starts in the file, from 1.
        text: the normal form, with extras, versions and marker, without hashes.
        specifier: the versions allowed; "" is any.
        marker: the environment marker; "" is none.
        hashes: `algorithm:digest`, sorted.
    """

    name: str
    line: int
    text: str
    specifier: str = ""
    marker: str = ""
    hashes: tuple[str, ...] = ()

    def line_text(self) -> str:
        """The requirement as one line of a requirements file."""
        return " ".join([self.text, *(f"--hash={one}" for one in self.hashes)])

    def applies_to(self, python_version: str) -> bool:
        """Whether the marker holds for that exact Python on this platform."""
        marker = ParsedRequirement(self.text).marker
        minor = ".".join(python_version.split(".")[:2])
        python = {
            "python_version": minor,
            "python_full_version": python_version,
            "implementation_version": python_version,
        }
        try:
            return marker is None or marker.evaluate(python)
        except UndefinedComparison:
            return True


@dataclass(frozen=True)
class RequirementsFile:
    """The requirements in the file's order, and the further indexes it names, without credentials."""

    requirements: tuple[Requirement, ...]
    extra_indexes: tuple[str, ...] = ()


def check_requirements(text: bytes, *, allowed_indexes: Sequence[str] = ()) -> list[Requirement]:
    """The requirements of the file; see `read_requirements`."""
    return list(read_requirements(text, allowed_indexes=allowed_indexes).requirements)


def read_requirements(text: bytes, *, allowed_indexes: Sequence[str] = ()) -> RequirementsFile:
    """Read requirements.txt. A byte order mark, CRLF, comments and continued lines are fine.

    Raises:
        RequirementsFileError: names the line (`src/requirements.txt:LINE`) and how to fix it.
    """
    allowed: dict[str, str] = {}
    for url in map(normal_index, allowed_indexes):
        allowed[url] = allowed[without_credentials(url)] = without_credentials(url)
    reading = _Reading(allowed)
    refused: list[RequirementsFileError] = []
    lines = _logical_lines(_decode(text))
    for number, line in lines:
        try:
            reading.take(line, number)
        except RequirementsFileError as error:
            refused.append(error)
    if refused:
        also = [error.message for error in refused[1 : 1 + MAX_BAD_LINES]]
        raise RequirementsFileError(refused[0].message, hint=refused[0].hint, place=refused[0].place, also=also)
    return RequirementsFile(tuple(reading.requirements.values()), tuple(reading.indexes))


@dataclass
class _Reading:
    """What the lines up to here ask for."""

    allowed: Mapping[str, str]
    requirements: dict[tuple[str, str], Requirement] = field(default_factory=dict)
    indexes: list[str] = field(default_factory=list)

    def take(self, line: str, number: int) -> None:
        """Read one line; raises RequirementsFileError."""
        if line.startswith("-"):
            index = _index_option(line, number, self.allowed)
            if index not in self.indexes:
                self.indexes.append(index)
            return
        one = _requirement(line, number)
        earlier = self.requirements.setdefault((one.name, one.marker), one)
        if (earlier.text, earlier.hashes) != (one.text, one.hashes):
            _refuse(
                f"{one.name} is listed twice with different versions, first in line {earlier.line}",
                number,
                "Keep one of the two lines, or give each its own environment marker.",
            )


def normal_index(url: str) -> str:
    """The url with host in lower case and without a slash at the end."""
    parts = urlsplit(url.strip())
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query, ""))


def _decode(text: bytes) -> str:
    if len(text) > MAX_BYTES:
        _refuse(f"the file has {len(text)} bytes, at most {MAX_BYTES} are read", 1)
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - (text.rfind(b"\n", 0, error.start) + 1) + 1
        _refuse(f"byte {column} of the line (0x{text[error.start]:02x}) is not UTF-8", line, "Save the file as UTF-8.")
    for position, char in enumerate(decoded):
        if (char < " " and char not in "\t\r\n\f") or char == "\x7f":
            _refuse(
                f"control character 0x{ord(char):02x}", decoded.count("\n", 0, position) + 1, "Remove the character."
            )
    return decoded


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, continued ones joined, each with the number of its first."""
    start, pending = 0, ""
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        start = start if pending else number
        # A comment ends a continued line, as pip reads it.
        line = re.sub(r"(^|\s)#.*$", "", raw)
        if line.endswith("\\") and line == raw:
            pending += line[:-1]
            if len(pending) > MAX_LINE:
                _refuse(f"the line is longer than {MAX_LINE} characters", start)
            continue
        joined, pending = (pending + line).strip(), ""
        if len(joined) > MAX_LINE:
            _refuse(f"the line is longer than {MAX_LINE} characters", start)
        if joined:
            yield start, joined
    if pending.strip():
        yield start, pending.strip()


def _index_option(line: str, number: int, allowed: Mapping[str, str]) -> str:
    match = _EXTRA_INDEX.fullmatch(line)
    if match is None:
        option = re.split(r"[\s=]", line, maxsplit=1)[0]
        if option in {"-e", "--editable"}:
            _refuse("an editable install is not allowed", number, _WHEELS_HINT)
        if option in {"-r", "--requirement", "-c", "--constraint"}:
            _refuse(
                f"{option} reads another file, which is not allowed", number, "Copy that file's lines into this one."
            )
        _refuse(
            f"the option {option[:60]} is not allowed",
            number,
            "Remove the line; only --hash and --extra-index-url to an index that the operator listed are allowed.",
        )
    try:
        url = normal_index(match[1])
    except ValueError:
        url = ""
    if url not in allowed:
        _refuse(
            f"the index {_host(match[1])} is not one that the operator of this installation allowed",
            number,
            "Remove the line and put the wheel into privatepkgs/, or ask the operator to allow that index.",
        )
    return allowed[url]


def _requirement(line: str, number: int) -> Requirement:
    hashes = tuple(sorted({match.lower() for match in _HASH.findall(line)}))
    text = _HASH.sub("", line).strip()
    option = re.search(r"(^|\s)(--?[A-Za-z][\w-]*)", text)
    if option:
        _refuse(
            f"the option {option[2][:60]} is not allowed or not complete",
            number,
            "Remove it; only --hash is allowed in a line.",
        )
    _refuse_what_no_index_has(text, number)
    try:
        parsed = ParsedRequirement(text)
    except (InvalidRequirement, RecursionError) as error:
        reason = str(error).splitlines()[0][:200] or "not understood"
        _refuse(f"{_shown(text)} is not a requirement: {reason}", number, "Write for example `numpy==1.26.4`.")
    if parsed.url is not None:
        _refuse(f"{_shown(parsed.name)} is taken from an address, which is not allowed", number, _WHEELS_HINT)
    parsed.name = canonicalize_name(parsed.name)
    if (meant := DEPRECATED_NAMES.get(parsed.name)) is not None:
        _refuse(f"{parsed.name} is a deprecated name of the package {meant}", number, f"Write {meant} instead.")
    return Requirement(
        name=parsed.name,
        line=number,
        text=str(parsed),
        specifier=str(parsed.specifier),
        marker=str(parsed.marker or ""),
        hashes=hashes,
    )


def _refuse_what_no_index_has(text: str, number: int) -> None:
    if _FREEZE.search(text):
        _refuse(f"{_shown(text)} names an address on another computer's disk", number, _FREEZE_HINT)
    if _CONDA.fullmatch(text):
        _refuse(f"{_shown(text)} is a line of `conda list --export`, not a requirement", number, _FREEZE_HINT)
    if _ADDRESS.match(text) or re.search(r"@\s*(\w+\+)?\w+://", text):
        _refuse("an address or version control system is not allowed", number, _WHEELS_HINT)
    if (
        text.startswith((".", "/", "~", "\\"))
        or re.match(r"[^\s;<>=!\[]*/", text)
        or re.match(r"\S+\.(whl|zip|tar\.\w+)\b", text)
    ):
        _refuse(f"{_shown(text)} is a file, not a package of the index", number, _WHEELS_HINT)


def _host(url: str) -> str:
    """The url without credentials and query, fit for a message."""
    return re.sub(r"^(\w+://)?[^/@\s]*@", r"\1", url.split("?", 1)[0])[:200]


def _shown(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…")


def _refuse(reason: str, line: int, hint: str | None = None) -> NoReturn:
    place = f"{PLACE}:{line}"
    raise RequirementsFileError(f"{place}: {reason}", hint=hint, place=place)
