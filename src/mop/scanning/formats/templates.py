"""Templates of Jinja, as chat templates are: some programs render them outside of Jinja's sandbox."""

from __future__ import annotations

import re

from mop.scanning.formats.base import Part

_BLOCK = re.compile(r"\{[{%](.*?)[}%]\}", re.DOTALL)
_REACHES = re.compile(
    r"__|\\x5f|\\u005f|\|\s*attr\b|\battr\s*\(|\.\s*(?:mro|gi_frame|cr_frame|f_globals|func_globals|popen|system)\b"
    r"|\[\s*['\"]\w*['\"]\s*~|^-?\s*(?:import|from|include|extends)\s",
    re.IGNORECASE,
)
_MARKS = ("{{", "{%")
_NAMES = (".jinja", ".jinja2", ".j2", ".template", ".tmpl", ".tpl")
_CHARACTERS_MAX = 256 * 1024
_REMEDY = "Write the template without names of Python's own objects, as Jinja's sandbox would demand."


class Template:
    """A text that is a template as a whole, such as chat_template.jinja; bounded to its beginning."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._text = ""

    def feed(self, text: str) -> None:
        """Take the next characters."""
        if len(self._text) < _CHARACTERS_MAX:
            self._text += text[: _CHARACTERS_MAX - len(self._text)]

    def end(self) -> None:
        """Look at the whole."""
        if self._part.name.lower().endswith(_NAMES):
            tell_of_template(self._part, self._text)


def tell_of_template(part: Part, text: str) -> None:
    """Whether the expressions of a template reach for Python's own objects."""
    if not any(mark in text for mark in _MARKS):
        return
    for block in _BLOCK.finditer(text):
        if _REACHES.search(block[1]):
            part.look.code(
                part.name,
                "template-code",
                "holds a template whose expressions reach for Python's own objects, which runs code where it is "
                "rendered without a sandbox",
                _REMEDY,
            )
            return
