"""What an installation's settings are and where each comes from, for people who operate it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mop.conf.home import find_home, runtime_folder
from mop.conf.options import (
    OPTIONS,
    VARIABLES,
    Option,
    key_of,
    read_file,
    read_option,
    unknown_keys,
    unknown_variables,
)


@dataclass(frozen=True)
class Setting:
    """One setting as it stands. A secret's value is never in it.

    Attributes:
        name: its environment variable.
        key: its name in mop.toml; empty where only the environment is read.
        value: what holds now, as text; None for a secret and for what is not set.
        is_set: whether environment or mop.toml set it.
        source: `environment`, `mop.toml` or `default`.
        default: as text.
        meaning: one line.
        is_secret: whether the value is kept from people.
        problem: why the value cannot be read; empty when it can.
    """

    name: str
    key: str
    value: str | None
    is_set: bool
    source: str
    default: str
    meaning: str
    is_secret: bool
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """Every setting of the installation in `home`, and what about them is wrong."""

    home: Path
    settings: tuple[Setting, ...]
    variables: tuple[Setting, ...]
    unknown: tuple[str, ...]
    problems: tuple[str, ...]


def list_settings(environment: Mapping[str, str]) -> Listing:
    """The settings that this environment and its mop.toml give; never raises for what they hold."""
    home = find_home(dict(environment))
    problems: list[str] = []
    try:
        file = read_file(home)
    except SystemExit as error:
        file = {}
        problems.append(str(error))
    settings = tuple(_setting(option, environment, file, home) for option in OPTIONS)
    problems += [f"{setting.name}: {setting.problem}" for setting in settings if setting.problem]
    unknown = [*(f"{line} in mop.toml" for line in unknown_keys(file)), *unknown_variables(environment)]
    return Listing(home, settings, _variables(environment, home), tuple(unknown), tuple(problems))


def _setting(option: Option, environment: Mapping[str, str], file: Mapping[str, object], home: Path) -> Setting:
    problem = ""
    try:
        value, source = read_option(option, environment, file)
    except ValueError as error:
        value, source, problem = None, "environment" if option.name in environment else "mop.toml", str(error)
    if option.name == "MOP_RUNTIME_FOLDER" and not value and not problem:  # the one default that depends on the host
        value = runtime_folder(dict(environment), home)
    return Setting(
        name=option.name,
        key=key_of(option),
        value=None if option.secret or problem else shown(value),
        is_set=source != "default",
        source=source,
        default=shown(option.default),
        meaning=option.meaning,
        is_secret=option.secret,
        problem=problem,
    )


def _variables(environment: Mapping[str, str], home: Path) -> tuple[Setting, ...]:
    rows = []
    for name, meaning, is_secret in VARIABLES:
        text = str(home) if name == "MOP_HOME" else environment.get(name, "")
        rows.append(
            Setting(
                name=name,
                key="",
                value=None if is_secret else text,
                is_set=bool(environment.get(name)),
                source="environment" if environment.get(name) else "default",
                default="",
                meaning=meaning,
                is_secret=is_secret,
            )
        )
    return tuple(rows)


def shown(value: object) -> str:
    """A value as one would write it: `true`, `localhost,127.0.0.1`, `/models:/more`; nothing for what is not set."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        separator = os.pathsep if any(isinstance(item, Path) for item in value) else ","
        return separator.join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
