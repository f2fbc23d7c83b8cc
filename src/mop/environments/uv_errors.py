"""What uv said, as an error of the catalogue: who is at fault, where, and how to fix it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.utils import canonicalize_name

from mop.environments.known_packages import PACKAGES_OF_MODULES
from mop.environments.requirements_file import PLACE, Requirement
from mop.environments.settings_file import PLACE as SETTINGS_PLACE
from mop.errors import (
    DiskFullError,
    EnvironmentBuildError,
    MopError,
    PackageIndexUnavailableError,
    PlatformCredentialError,
    RequirementsFileError,
    SandboxUnavailableError,
)

EXIT_MEMORY = 122  # the sandbox's contract for a step that it ended
EXIT_TIME = 124
EXIT_SETUP = 125

_MAX_CAUSE = 1200
_LAST_LINES = 8
_SHOWN = 5
_REFUSED = re.compile(r"tunnel error|\b403 Forbidden\b|Failed to fetch|error sending request", re.IGNORECASE)
_SANDBOX = re.compile(r"^mop-sandbox: (.*)$", re.MULTILINE)
_DISK = re.compile(r"No space left on device|os error 28\b|Disk quota exceeded", re.IGNORECASE)
_CREDENTIALS = re.compile(r"lack of valid authentication credentials|\b(401 Unauthorized|403 Forbidden)\b")
_BUILD = re.compile(r"Failed to build|Build backend failed|The build backend returned an error")
_BUILT = re.compile(r"Failed to (?:download and )?build `?([\w.\-]+?)(?:[@=]{1,2}([^\s`]+))?`")
_UNREACHABLE = re.compile(
    r"Request failed after \d+ retries|Failed to fetch|error sending request|tcp connect error|dns error"
    r"|Connection (refused|reset)|operation timed out|network timeout|unexpected end of file|connection closed"
    r"|error decoding response body|HTTP status server error"
    r"|\b(50[0-9]|429) [A-Z][\w ]+|Network is unreachable|invalid peer certificate",
)
_UNKNOWN = re.compile(r"Because ([\w.\-]+)(?:\[[^\]]*\])? was not found in the package registry")
_NO_WHEEL = re.compile(
    r"building (?:from source|source distributions) is disabled|has no usable wheels|--no-build", re.IGNORECASE
)
_REQUIRED = re.compile(r"(?:you require|and) ([A-Za-z0-9][\w.\-]*?)(?:\[[^\]]*\])?(?:[=<>!~]=?|,| and\b|$)")
_HOST_PATH = re.compile(r"(?:file://)?/[^\s\"'`()]*/(?:(?:builds|building|envs)/[0-9a-f]{64}/|(?=privatepkgs/))")


def needs_source_build(lines: Sequence[str]) -> bool:
    """Whether uv failed only because some package has no wheel for this Python."""
    return _NO_WHEEL.search("\n".join(lines)) is not None


def install_error(
    status: int,
    lines: Sequence[str],
    *,
    requirements: Sequence[Requirement],
    python_version: str,
    refused: Sequence[str] = (),
) -> MopError:
    """The error of a failed `uv pip install`.

    Args:
        status: its exit status.
        lines: its last output lines.
        requirements: those of requirements.txt, to name the line.
        python_version: the exact Python of the environment.
        refused: what the build tried to reach and may not.
    """
    text = "\n".join(lines)
    ended = sandbox_error(status, text) or disk_error(text) or _refused_error(text, refused)
    if ended is not None:
        return ended
    cause = _cause(text)
    unknown = _UNKNOWN.search(text)
    if _BUILD.search(text):
        return _build_error(text, lines, requirements, python_version, refused)
    if _CREDENTIALS.search(text):
        return PlatformCredentialError(f"The package index refused this installation's credentials: {cause}")
    if unknown is not None:
        return _unknown_package(canonicalize_name(unknown[1]), cause, requirements)
    if "No solution found" not in text and _UNREACHABLE.search(text):
        return PackageIndexUnavailableError(f"The package index did not answer properly: {cause}")
    return _no_solution(cause, requirements, python_version)


def sandbox_error(status: int, text: str) -> MopError | None:
    """The error of a step that the sandbox ended or could not start; None if it did neither."""
    match = _SANDBOX.search(text)
    if match is None:
        return None
    reason = match[1][:500]
    if status == EXIT_SETUP:
        return SandboxUnavailableError(f"The build's sandbox could not be set up: {reason}")
    if status == EXIT_MEMORY:
        return EnvironmentBuildError(
            f"The build used more memory than it may: {reason}",
            hint="Choose packages that have a wheel for this Python, so that nothing is built from source.",
        )
    if status == EXIT_TIME:
        return EnvironmentBuildError(f"The build took longer than it may: {reason}")
    return None


def disk_error(text: str) -> MopError | None:
    """DiskFullError if that is what the output says."""
    if _DISK.search(text):
        return DiskFullError("The disk that holds environments is full.")
    return None


def last_lines(lines: Sequence[str]) -> str:
    """The end of an output, fit for a message: whole lines, without the host's paths."""
    kept = [_HOST_PATH.sub("", line)[:400] for line in lines[-_LAST_LINES:]]
    while len(kept) > 1 and sum(map(len, kept)) > _MAX_CAUSE:
        kept.pop(0)
    return "\n".join(kept)


def _refused_error(text: str, refused: Sequence[str]) -> MopError | None:
    """Where no build script ran it was uv that asked for what it may not: a page of an index led it there."""
    if not refused or _BUILD.search(text) or not _REFUSED.search(text):
        return None
    return EnvironmentBuildError(
        f"The package index links to what builds may not reach: {'; '.join(refused[:_SHOWN])}",
        hint="Put the package's wheel into privatepkgs/, or ask the operator to add the host to MOP_INDEX_FILE_HOSTS.",
    )


def _build_error(
    text: str,
    lines: Sequence[str],
    requirements: Sequence[Requirement],
    python_version: str,
    refused: Sequence[str],
) -> MopError:
    match = _BUILT.search(text)
    what = f"{match[1]} {match[2] or ''}".strip() if match else "A package"
    line = _line_of(canonicalize_name(match[1]), requirements) if match else None
    meant = re.search(r"Did you mean to install `([^`]+)`\?", text)
    # uv's own hints speak of files that a model folder does not have.
    output = [one for one in lines[: _first(lines, "hint:")] if one.strip()]
    minor = _minor(python_version)
    return EnvironmentBuildError(
        f"{what} has no wheel for Python {minor} and could not be built from source:\n{last_lines(output)}"
        + (f"\nIt tried to reach {'; '.join(refused[:_SHOWN])}" if refused else ""),
        hint=(f"Did you mean {meant[1]}? " if meant else "")
        + f"Choose a version that has a wheel for Python {minor}, choose another Python in src/settings.yml, "
        "or build the wheel yourself and put it into privatepkgs/.",
        place=f"{PLACE}:{line}" if line else None,
    )


def _unknown_package(name: str, cause: str, requirements: Sequence[Requirement]) -> MopError:
    line = _line_of(name, requirements)
    if line:
        place = f"{PLACE}:{line}"
        meant = PACKAGES_OF_MODULES.get(name)
        return RequirementsFileError(
            f"{place}: the package index has no package {name}",
            hint=f"The package that provides the module {name} is {meant}: write that name."
            if meant
            else "Correct the name, or put the package's wheel into privatepkgs/ and remove the line.",
            place=place,
        )
    return EnvironmentBuildError(
        f"A package that the requirements need is not in the package index: {cause}",
        hint=f"Put a wheel of {name} into privatepkgs/, or remove what needs it.",
    )


def _no_solution(cause: str, requirements: Sequence[Requirement], python_version: str) -> MopError:
    names = [canonicalize_name(name) for name in _REQUIRED.findall(cause)]
    line = next((found for name in names if (found := _line_of(name, requirements))), None)
    place = f"{PLACE}:{line}" if line else None
    if line is None and "pip" in names:
        place = SETTINGS_PLACE
    return EnvironmentBuildError(
        f"The requirements cannot be installed on Python {python_version}: {cause}",
        hint=_hint(cause, _minor(python_version)),
        place=place,
    )


def _hint(cause: str, python: str) -> str:
    wheel = re.search(r"([\w.\-]+==[\w.\-]+) has no (?:usable )?wheels?", cause)
    missing = re.search(r"there (?:is|are) no versions? of ([\w.\-]+==[\w.\-]+)", cause)
    if "Hash mismatch" in cause:
        return "Correct the --hash in src/requirements.txt, or remove it: the index offers another file."
    if re.search(r"Python version|depends? on Python", cause):
        return f"Choose versions that support Python {python}, or change env.python in src/settings.yml."
    if wheel:
        return (
            f"{wheel[1]} has no wheel for Python {python}: choose a newer version, "
            "or an older Python in src/settings.yml."
        )
    local = re.search(r"there (?:is|are) no versions? of ([\w.\-]+)==([\w.\-]+)\+([\w.\-]+)", cause)
    if local:
        name, version, label = local.groups()
        return (
            f"+{label} is a local version label, a build that this index does not have: write {name}=={version}, or "
            f"put the wheel of {version}+{label} into privatepkgs/ and remove the line."
        )
    if missing:
        return f"{missing[1]} does not exist in the package index: choose a version that does."
    return "Change or loosen the versions in src/requirements.txt so that they fit together."


def _cause(text: str) -> str:
    """The resolver's explanation as one paragraph: from the last `error:` to the first hint, without prefixes."""
    start = max(text.rfind("\nerror: ") + 1, 0)
    body = text[start:].split("\nhint: ", maxsplit=1)[0]
    parts = [re.sub(r"^\s*(?:error:|cause:|Caused by:)\s*", "", line).strip() for line in body.splitlines()]
    parts = [part for part in parts if part and not part.startswith("No solution found when resolving")]
    cause = _HOST_PATH.sub("", " ".join(parts)) or "no reason was given"
    if len(cause) <= _MAX_CAUSE:
        return cause
    half = _MAX_CAUSE // 2
    return f"{cause[:half].rpartition(' ')[0]} … {cause[-half:].partition(' ')[2]}"


def _line_of(name: str, requirements: Sequence[Requirement]) -> int | None:
    return next((one.line for one in requirements if one.name == name), None)


def _first(lines: Sequence[str], start: str) -> int:
    return next((index for index, line in enumerate(lines) if line.startswith(start)), len(lines))


def _minor(python_version: str) -> str:
    return ".".join(python_version.split(".")[:2])
