"""YAML, by the events of its parser: tags are known after their directives and escapes are resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from mop.scanning.formats.base import Part
from mop.scanning.formats.json_text import LOADERS, JsonAlone, tell_of_loader, tell_of_target
from mop.scanning.formats.templates import tell_of_template
from mop.scanning.limits import MIB
from mop.scanning.look import shown

CHARACTERS_MAX = 4 * MIB
EVENTS_MAX = 400_000
_TIMED_EVENTS = 1_000
_SIGNS = re.compile(
    r"(?:^|[\s\[{,:\-])!|^%TAG|_target_|loader_module|model_code_path|class_path|chat_template", re.MULTILINE
)
_TAGS = re.compile(
    r"(?:^|[\s\[{,:\-])!(?:!python|!(?:p\S{0,30})?%[0-9A-Fa-f]{2}|<(?:tag:yaml\.org|\S{0,64}%[0-9A-Fa-f]{2})"
    r"|(?:new|apply|name|module|includeprivate):)|^%TAG",
    re.MULTILINE,
)
"""What may be one of those that construct objects, in a text that is too long to be parsed."""
_TAG_CHARACTERS = 128
_PYTHON = "tag:yaml.org,2002:python/"
_VALUES = frozenset(
    {
        *("none", "bool", "str", "unicode", "bytes", "int", "long", "float", "complex", "list", "tuple", "dict", "set"),
    }
)
_HYPER = ("!new:", "!apply:", "!name:", "!module:", "!includeprivate:")
_TARGETS = frozenset(("_target_", "class_path"))
_CHAT = "chat_template"
_KEYS = frozenset((*_TARGETS, *LOADERS, _CHAT))
_AWAITED = frozenset(("key", key) for key in _KEYS)
_REMEDY = "Write plain values, and build the object in inference.py; read the file with yaml.safe_load."


class YamlEvents:
    """Keeps a text that shows a sign of what it looks for, and parses it at its end."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._pieces: list[str] = []
        self._kept = 0
        self._has_signs = False
        self._is_cut = False
        self._json = JsonAlone()
        self._before = ""
        self._has_tags_behind = False

    def feed(self, text: str) -> None:
        """Take the next characters."""
        self._has_signs = self._has_signs or bool(_SIGNS.search(text))
        if not self._is_cut and self._kept + len(text) > CHARACTERS_MAX:
            self._is_cut = True
            self._json.feed("".join(self._pieces))
        if self._is_cut:
            self._json.feed(text)
            self._has_tags_behind = self._has_tags_behind or bool(_TAGS.search(self._before + text))
            self._before = text[-_TAG_CHARACTERS:]
        else:
            self._pieces.append(text)
            self._kept += len(text)

    def end(self) -> None:
        """Parse it, unless nothing in it can be a tag: the keys of JSON are read elsewhere."""
        if not self._has_signs:
            return
        text = "".join(self._pieces)
        if not self._is_cut:
            self._json.feed(text)
        if not self._json.is_whole():
            self._parse(text)

    def _parse(self, text: str) -> None:
        """As far as it is YAML: what stands before an error in a document is never constructed."""
        found: list[tuple[str, str]] = []
        try:
            anchors: dict[str, str] = {}
            for event in self._events(text):
                found += _told_by(event, found, anchors)
                if isinstance(event, yaml.DocumentEndEvent):
                    self._tell(found)
                    found.clear()
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            if self._has_tags_behind and _is_at_the_end(error, text):
                self._tell_of_length()
            if not any(name == "tag" and tag.startswith(_PYTHON) for name, tag in found):
                return
        else:
            if self._has_tags_behind:
                self._tell_of_length()
        self._tell(found)

    def _tell_of_length(self) -> None:
        self._part.look.costly(self._part.name, f"YAML of over {CHARACTERS_MAX:,} characters, with tags behind them")

    def _events(self, text: str) -> Iterator[Any]:
        loader: Any = getattr(yaml, "CParser", yaml.SafeLoader)
        parser = loader(text)
        for count in range(EVENTS_MAX):
            if count % _TIMED_EVENTS == 0:
                self._part.look.spend(0)
            if not parser.check_event():
                return
            yield parser.get_event()
        self._part.look.costly(self._part.name, f"YAML of more than {EVENTS_MAX:,} values with tags")

    def _tell(self, found: list[tuple[str, str]]) -> None:
        for name, value in found:
            if name in LOADERS:
                tell_of_loader(self._part, name, value)
            elif name == _CHAT:
                tell_of_template(self._part, value)
            elif name in _TARGETS:
                tell_of_target(self._part, value)
            elif value.startswith(_PYTHON) and value.removeprefix(_PYTHON) not in _VALUES:
                self._part.look.code(
                    self._part.name,
                    "yaml-object",
                    f"has the tag !!python/{shown(value.removeprefix(_PYTHON))}, with which yaml.unsafe_load imports "
                    "or calls what it names",
                    _REMEDY,
                )
            elif value.startswith(_HYPER):
                tell_of_target(self._part, value.partition(":")[2])


def _is_at_the_end(error: Exception, text: str) -> bool:
    """Whether a parser stops where the text was cut, and not before as in one that is no YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark is None or mark.index >= len(text) - _TAG_CHARACTERS


def _told_by(event: Any, before: list[tuple[str, str]], anchors: dict[str, str]) -> list[tuple[str, str]]:
    """The tag of an event, and the value behind one of the keys that count: a key is kept until its value comes."""
    told = []
    if isinstance(tag := getattr(event, "tag", None), str):
        told.append(("tag", tag))
    if isinstance(event, yaml.ScalarEvent) and event.anchor:
        anchors[event.anchor] = event.value
    is_alias = isinstance(event, yaml.AliasEvent)
    if isinstance(event, yaml.ScalarEvent) or (is_alias and event.anchor in anchors):
        value = anchors[event.anchor] if is_alias else event.value
        if before and before[-1] in _AWAITED:
            told.append((before[-1][1], value))
        if value in _KEYS:  # whether it is a key or a value that is called so, nothing tells
            told.append(("key", value))
    return told
