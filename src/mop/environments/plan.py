"""Everything that decides an environment's content, read and checked before anything is built."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from mop.environments.config import EnvironmentConfig
from mop.environments.index_targets import without_credentials
from mop.environments.interpreters import Choice, choose_interpreter
from mop.environments.private_wheels import PrivateWheel, check_private_wheels, digest, read_private_wheels
from mop.environments.requirements_file import RequirementsFile, normal_index, read_requirements
from mop.environments.sdk_wheel import DISTRIBUTION, newest_mop_utils_wheel
from mop.environments.settings_file import RuntimeSettings, read_settings
from mop.errors import RequirementsFileError, SettingsFileError

FORMAT = 1
PUBLIC_INDEX = "PyPI"  # in keys; uv knows its address


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be installed.

    Attributes:
        key: SHA-256 over all of this; equal plans share one environment.
        settings: Python and pip as asked for.
        choice: the interpreter that is used.
        requirements: of requirements.txt.
        wheels: of privatepkgs/.
        sdk_wheel: MOP's own mop-utils; None where the model pins a public release.
        notes: what the owner should know before the build.
    """

    key: str
    settings: RuntimeSettings
    choice: Choice
    requirements: RequirementsFile
    wheels: tuple[PrivateWheel, ...]
    sdk_wheel: Path | None
    notes: tuple[str, ...]


def make_plan(src: Path, private_wheels: Path | None, *, config: EnvironmentConfig) -> Plan:
    """Read src/settings.yml, src/requirements.txt and privatepkgs/.

    Raises:
        SettingsFileError: settings.yml is missing or wrong, or asks for a Python that is not here.
        RequirementsFileError: requirements.txt is missing or wrong.
        EnvironmentBuildError: a private wheel is damaged or does not fit.
        ModelStructureError: privatepkgs/ holds something else than wheels of an allowed size.
    """
    settings = _settings(src)
    choice = choose_interpreter(settings.python, config.interpreters)
    requirements = read_requirements(
        _content(src / "requirements.txt", RequirementsFileError), allowed_indexes=config.allowed_indexes
    )
    wheels = tuple(read_private_wheels(private_wheels, bytes_max=config.wheel_bytes_max))
    check_private_wheels(wheels, requirements.requirements, python_version=choice.interpreter.version)
    sdk_wheel, sdk_note = _choose_sdk(requirements, wheels, choice.interpreter.version, config)
    notes = [note for note in (choice.note, sdk_note) if note]
    notes += [
        f"{one.place} runs code at every start of Python: {', '.join(one.start_up_hooks[:5])}"
        for one in wheels
        if one.start_up_hooks
    ]
    index = normal_index(config.index_url) if config.index_url else PUBLIC_INDEX
    content = {  # without credentials: renewed ones do not make another environment
        "format": FORMAT,
        "python": choice.interpreter.version,
        "pip": settings.pip,
        "requirements": sorted(one.line_text() for one in requirements.requirements),
        "indexes": [without_credentials(index), *requirements.extra_indexes],
        "wheels": sorted((wheel.path.name, wheel.sha256) for wheel in wheels),
        "mop-utils": digest(sdk_wheel) if sdk_wheel else None,
    }
    return Plan(
        key=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        settings=settings,
        choice=choice,
        requirements=requirements,
        wheels=wheels,
        sdk_wheel=sdk_wheel,
        notes=tuple(notes),
    )


def read_python(src: Path) -> str:
    """The Python that src/settings.yml asks for.

    Raises:
        SettingsFileError: it is missing or wrong.
    """
    return _settings(src).python


def _settings(src: Path) -> RuntimeSettings:
    return read_settings(_content(src / "settings.yml", SettingsFileError))


def _content(path: Path, error: type[SettingsFileError | RequirementsFileError]) -> bytes:
    place = f"src/{path.name}"
    try:
        if path.is_symlink():
            raise error(f"{place} is a link", hint="Upload the file itself.", place=place)
        return path.read_bytes()
    except FileNotFoundError:
        raise error(f"{place} is missing", place=place) from None
    except IsADirectoryError:
        raise error(f"{place} is a folder", place=place) from None


def _choose_sdk(
    requirements: RequirementsFile, wheels: tuple[PrivateWheel, ...], python_version: str, config: EnvironmentConfig
) -> tuple[Path | None, str | None]:
    """MOP's own mop-utils, unless a private wheel brings one or a version is asked for that ours is not."""
    if any(wheel.name == DISTRIBUTION for wheel in wheels):
        return None, f"{DISTRIBUTION} comes from a private wheel, not from MOP"
    ours = newest_mop_utils_wheel(config.mop_utils_wheels)
    version = parse_wheel_filename(ours.name)[1]
    listed = [one for one in requirements.requirements if one.name == DISTRIBUTION and one.applies_to(python_version)]
    asked = [SpecifierSet(one.specifier) for one in listed]
    hashed = any(one.hashes for one in listed)
    for wheel in wheels:
        asked += [one.specifier for one in wheel.requires if one.name.lower().replace("_", "-") == DISTRIBUTION]
    if not hashed and all(specifier.contains(version, prereleases=True) for specifier in asked):
        note = None if listed else f"{DISTRIBUTION} is not in src/requirements.txt; MOP's own {version} is installed"
        return ours, note
    return None, f"{DISTRIBUTION}{asked[0]} is asked for: the public release is installed, not MOP's own {version}"
