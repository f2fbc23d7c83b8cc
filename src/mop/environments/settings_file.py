"""src/settings.yml, read as text: `python: 3.10` is the version 3.10 and never the number 3.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from packaging.version import InvalidVersion, Version

from mop.deferred import deferred
from mop.errors import SettingsFileError

if TYPE_CHECKING:
    import yaml
else:
    yaml = deferred("yaml")

PLACE = "src/settings.yml"
MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_VERSION_LENGTH = 40
MAX_SHOWN = 60


@dataclass(frozen=True)
class RuntimeSettings:
    """The Python (`3.11` or `3.11.7`) and the exact pip that a model asks for, as written."""

    python: str
    pip: str


@dataclass(frozen=True)
class _Node:
    """A YAML node whose scalars are all text."""

    value: str | dict[str, _Node] | list[_Node]
    line: int


def read_settings(text: bytes) -> RuntimeSettings:
    """Read settings.yml.

    Raises:
        SettingsFileError: the file has another shape than `env: {python: VERSION, pip: VERSION}`; names the line.
    """
    document = _parse(_decode(text))
    top = _mapping(document, "the file", allowed=("env",))
    if "env" not in top:
        _refuse("env is missing", document.line, "Write the line `env:` with python and pip indented below it.")
    env = _mapping(top["env"], "env", allowed=("python", "pip"))
    return RuntimeSettings(python=_python_version(env, top["env"].line), pip=_pip_version(env, top["env"].line))


def _decode(text: bytes) -> str:
    if len(text) > MAX_BYTES:
        _refuse(f"the file has {len(text)} bytes, at most {MAX_BYTES} are read", 1)
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        _refuse(f"byte {error.start + 1} (0x{text[error.start]:02x}) is not UTF-8", line, "Save the file as UTF-8.")


def _parse(text: str) -> _Node:
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        return _document(events)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(f"not valid YAML: {error.problem or error.context}", mark.line + 1 if mark else 1)
    except yaml.YAMLError as error:
        _refuse(f"not valid YAML: {str(error).splitlines()[0]}", 1)


def _document(events: Iterator[yaml.Event]) -> _Node:
    node: _Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if node is not None:
                _refuse("there is more than one document", _line(event), "Remove the lines from `---` on.")
            node = _node(next(events), events, depth=1)
    if node is None:
        _refuse("the file is empty", 1)
    return node


def _node(event: yaml.Event, events: Iterator[yaml.Event], *, depth: int) -> _Node:
    line = _line(event)
    if (
        not isinstance(event, (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent))
        or event.anchor is not None
    ):
        _refuse("anchors (&) and aliases (*) are not allowed", line, "Write the value itself.")
    if event.tag is not None:
        _refuse(f"tags are not allowed: {event.tag[:80]}", line, "Remove the tag: every value is read as text.")
    if depth > MAX_DEPTH:
        _refuse(f"nested deeper than {MAX_DEPTH} levels", line)
    if isinstance(event, yaml.MappingStartEvent):
        return _Node(_entries(events, depth=depth + 1), line)
    if isinstance(event, yaml.SequenceStartEvent):
        return _Node(_items(events, depth=depth + 1), line)
    return _Node(str(event.value), line)


def _entries(events: Iterator[yaml.Event], *, depth: int) -> dict[str, _Node]:
    entries: dict[str, _Node] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, depth=depth)
        if not isinstance(key.value, str):
            _refuse("a key must be a word", key.line)
        if key.value in entries:
            _refuse(
                f"{_shown(key.value)} stands twice, first in line {entries[key.value].line}",
                key.line,
                "Keep one of them.",
            )
        entries[key.value] = _node(next(events), events, depth=depth)
    return entries


def _items(events: Iterator[yaml.Event], *, depth: int) -> list[_Node]:
    items = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        items.append(_node(event, events, depth=depth))
    return items


def _mapping(node: _Node, name: str, *, allowed: tuple[str, ...]) -> dict[str, _Node]:
    if not isinstance(node.value, dict):
        seen = "a list" if isinstance(node.value, list) else _shown(node.value)
        _refuse(f"{name} must be a mapping with {' and '.join(allowed)}, it is {seen}", node.line)
    for key, entry in node.value.items():
        if key not in allowed:
            _refuse(
                f"{_shown(key)} is not known in {name}; known: {', '.join(allowed)}",
                entry.line,
                "Remove the line or correct its name.",
            )
    return node.value


def _version_text(env: dict[str, _Node], name: str, example: str, env_line: int) -> tuple[str, int]:
    node = env.get(name)
    if node is None:
        _refuse(f"env.{name} is missing", env_line, f"Add the line `{name}: {example}` below env.")
    if not isinstance(node.value, str) or not node.value.strip():
        seen = "empty" if isinstance(node.value, str) else "not a version"
        _refuse(f"env.{name} is {seen}", node.line, f"Write for example `{name}: {example}`.")
    return node.value.strip(), node.line


def _python_version(env: dict[str, _Node], env_line: int) -> str:
    text, line = _version_text(env, "python", "3.11", env_line)
    if not re.fullmatch(r"[0-9]\.[0-9]{1,2}(\.[0-9]{1,3})?", text):
        _refuse(
            f"env.python is {_shown(text)}", line, "Write one version, for example `python: 3.11` or `python: 3.11.7`."
        )
    return text


def _pip_version(env: dict[str, _Node], env_line: int) -> str:
    text, line = _version_text(env, "pip", "24.0", env_line)
    hint = "Write one exact version, for example `pip: 24.0`."
    if len(text) > MAX_VERSION_LENGTH or not re.match(r"[0-9]", text):
        _refuse(f"env.pip is {_shown(text)}", line, hint)
    try:
        version = Version(text)
    except InvalidVersion:
        _refuse(f"env.pip is {_shown(text)}", line, hint)
    if version.local or version.epoch:
        _refuse(f"env.pip is {_shown(text)}, which no index offers", line, hint)
    return text


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1


def _shown(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…")


def _refuse(reason: str, line: int, hint: str | None = None) -> NoReturn:
    place = f"{PLACE}:{line}"
    raise SettingsFileError(f"{place}: {reason}", hint=hint, place=place)
