"""Private wheels: read safely, checked against interpreter and requirements before anything is installed."""

from __future__ import annotations

import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import NoReturn

from packaging import tags
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from mop.environments.requirements_file import Requirement
from mop.errors import EnvironmentBuildError, ModelStructureError, RequirementsFileError
from mop.file_names import name_fault, quoted
from mop.wheel_names import start_up_hooks

FOLDER = "privatepkgs"
MAX_WHEELS = 200
MAX_METADATA_BYTES = 1024 * 1024
MAX_MEMBERS = 100_000

_CHUNK = 1024 * 1024
# "name (1)", "name - Copy", "name - Copy (2)", "name copy 2": what browsers, Windows and macOS make of a second file
_COPY = re.compile(r"(\s*\(\d{1,3}\)|\s+-\s+Copy|\s+copy(?:\s+\d{1,3})?)+$", re.IGNORECASE)


@dataclass(frozen=True)
class PrivateWheel:
    """A wheel of privatepkgs/.

    Attributes:
        path: the file.
        name: canonical name of the package.
        version: its version, as in the file name.
        sha256: digest of the file.
        tags: the interpreters, ABIs and platforms it is made for.
        requires: what its metadata requires, without extras.
        requires_python: its Requires-Python; "" is any.
        start_up_hooks: members that run at every start of a Python that has it installed.
    """

    path: Path
    name: str
    version: str
    sha256: str
    tags: frozenset[tags.Tag]
    requires: tuple[ParsedRequirement, ...]
    requires_python: str
    start_up_hooks: tuple[str, ...]

    @property
    def place(self) -> str:
        """The file as the contributor names it."""
        return f"{FOLDER}/{self.path.name}"


def read_private_wheels(folder: Path | None, *, bytes_max: int) -> list[PrivateWheel]:
    """The *.whl files at the top of privatepkgs/, by name; none if there is no folder.

    Raises:
        ModelStructureError: one is no regular file or too large, or there are too many.
        EnvironmentBuildError: a wheel is damaged, or its metadata contradicts its file name.
    """
    if folder is None or not folder.is_dir():
        return []
    paths = sorted(folder.glob("*.whl"))
    if len(paths) > MAX_WHEELS:
        raise ModelStructureError(f"{FOLDER}/ has {len(paths)} wheels, at most {MAX_WHEELS} are allowed", place=FOLDER)
    wheels = [_read(path, bytes_max=bytes_max) for path in paths]
    seen: dict[str, PrivateWheel] = {}
    for wheel in wheels:
        if wheel.name in seen:
            _refuse(
                wheel.path,
                f"{FOLDER}/ holds {wheel.name} twice, also as {seen[wheel.name].path.name}",
                "Keep one of them.",
            )
        seen[wheel.name] = wheel
    return wheels


def check_private_wheels(
    wheels: Sequence[PrivateWheel],
    requirements: Sequence[Requirement],
    *,
    python_version: str,
    platforms: Sequence[str] | None = None,
) -> None:
    """Check that each wheel fits the exact Python and stands only in privatepkgs/.

    Args:
        wheels: of privatepkgs/.
        requirements: of requirements.txt.
        python_version: the Python of the environment.
        platforms: tags of the platform that runs it, the best first; None: this one.

    Raises:
        RequirementsFileError: requirements.txt lists the package of a private wheel; names the line.
        EnvironmentBuildError: a wheel is for another Python or platform.
    """
    lines = {one.name: one.line for one in requirements}
    for wheel in wheels:
        if wheel.name in lines:
            place = f"src/requirements.txt:{lines[wheel.name]}"
            raise RequirementsFileError(
                f"{place}: {wheel.name} is also the private wheel {wheel.place}",
                hint="Remove the line, or the wheel: a private wheel is not listed in requirements.txt.",
                place=place,
            )
    platforms = list(platforms or tags.platform_tags())
    supported = _supported_tags(python_version, platforms)
    for wheel in wheels:
        if not wheel.tags & supported:
            made_for = ", ".join(sorted(map(str, wheel.tags))[:5])
            _refuse(
                wheel.path,
                f"it is made for {made_for} and does not fit Python {python_version} on this platform ({platforms[0]})",
                _hint(wheel, supported),
            )
        if wheel.requires_python and Version(python_version) not in SpecifierSet(wheel.requires_python):
            _refuse(
                wheel.path,
                f"it requires Python {wheel.requires_python}, settings.yml gives {python_version}",
                "Change env.python in src/settings.yml, or build the wheel for this Python.",
            )


def _hint(wheel: PrivateWheel, supported: frozenset[tags.Tag]) -> str:
    """What to do about a wheel that does not fit: another platform's is of no use on any Python."""
    if {tag.platform for tag in wheel.tags} & {tag.platform for tag in supported}:
        return "Build the wheel for this Python, or change env.python in src/settings.yml."
    return "Build the wheel for Linux on this kind of processor, or upload one of any platform (py3-none-any)."


def _supported_tags(python_version: str, platforms: Sequence[str]) -> frozenset[tags.Tag]:
    major, minor = (int(part) for part in python_version.split(".")[:2])
    abi = f"cp{major}{minor}"
    return frozenset(
        [
            *tags.cpython_tags((major, minor), abis=[abi], platforms=platforms),
            *tags.compatible_tags((major, minor), interpreter=abi, platforms=platforms),
        ]
    )


def _read(path: Path, *, bytes_max: int) -> PrivateWheel:
    place = f"{FOLDER}/{path.name}"
    if path.is_symlink() or not path.is_file():
        raise ModelStructureError(f"{place} is not a regular file", hint="Upload the wheel itself.", place=place)
    size = path.stat().st_size
    if size > bytes_max:
        raise ModelStructureError(f"{place} has {size} bytes, at most {bytes_max} are allowed", place=place)
    copied = _COPY.search(path.stem)
    if copied is not None:
        _refuse(
            path,
            f"{copied[0].strip()!r} in its name is from a browser or file manager that copied the file",
            f"Rename it to {_COPY.sub('', path.stem)}.whl.",
        )
    try:
        name, version, _, file_tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        _refuse(
            path,
            str(error).splitlines()[0],
            "Name the file as the wheel was built: name-version-python-abi-platform.whl.",
        )
    members, metadata = _open(path)
    headers = HeaderParser().parsestr(metadata)
    if canonicalize_name(headers.get("Name", "")) != name or not _same_version(headers.get("Version", ""), version):
        _refuse(
            path,
            f"its file name says {name} {version}, its METADATA {headers.get('Name')} {headers.get('Version')}",
            "Do not rename wheels; build it again.",
        )
    requires_python = headers.get("Requires-Python", "").strip()
    try:
        SpecifierSet(requires_python)
        requires = tuple(ParsedRequirement(one) for one in headers.get_all("Requires-Dist", []))
    except (InvalidSpecifier, InvalidRequirement, RecursionError) as error:
        _refuse(path, f"its METADATA is not valid: {str(error).splitlines()[0][:200]}", "Build the wheel again.")
    return PrivateWheel(
        path=path,
        name=name,
        version=str(version),
        sha256=digest(path),
        tags=file_tags,
        requires=requires,
        requires_python=requires_python,
        start_up_hooks=start_up_hooks(members),
    )


def _open(path: Path) -> tuple[list[str], str]:
    """The member names and the METADATA of a wheel."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_MEMBERS:
                _refuse(path, f"it holds {len(infos)} files, at most {MAX_MEMBERS} are allowed")
            _check_members(path, infos)
            found = [one for one in infos if re.fullmatch(r"[^/]+\.dist-info/METADATA", one.filename)]
            if len(found) != 1:
                _refuse(
                    path, f"it has {len(found)} *.dist-info/METADATA files instead of one", "Build the wheel again."
                )
            with archive.open(found[0]) as file:
                metadata = file.read(MAX_METADATA_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        _refuse(path, f"it is no readable wheel: {str(error)[:200]}", "Upload the wheel again.")
    if len(metadata) > MAX_METADATA_BYTES:
        _refuse(path, f"its METADATA is larger than {MAX_METADATA_BYTES} bytes")
    return [one.filename for one in infos], metadata.decode("utf-8", "replace")


def _check_members(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse a wheel of which a file would stand outside the environment, or be something else than a file."""
    for one in infos:
        # `filename` is cut at a NUL and has the system's separators; the installer reads the original
        name = one.orig_filename
        fault = name_fault(name.removesuffix("/"))
        if fault is None and stat.S_IFMT(one.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            fault = "it is a link or a device"
        if fault is not None:
            _refuse(path, f"it holds {quoted(name)}: {fault}", "Build the wheel again, without that file.")


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


def _same_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _refuse(path: Path, reason: str, hint: str | None = None) -> NoReturn:
    place = f"{FOLDER}/{path.name}"
    raise EnvironmentBuildError(f"{place}: {reason}", hint=hint, place=place)
