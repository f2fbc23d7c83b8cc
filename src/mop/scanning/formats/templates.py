"""Templates of Jinja, as chat templates are: some programs render them outside of Jinja's sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mop.scanning.formats.base import Part

_OPENS, _CLOSES = re.compile(r"\{[{%]"), re.compile(r"[}%]\}")
_REACHES = re.compile(
    r"__|\\x5f|\\u005f|\|\s*attr\b|\battr\s*\(|\.\s*(?:mro|gi_frame|cr_frame|f_globals|func_globals|popen|system)\b"
    r"|\[\s*['\"]\w*['\"]\s*~|^-?\s*(?:import|from|include|extends)\s",
    re.IGNORECASE,
)
_MARKS = ("{{", "{%")
_NAMES = (".jinja", ".jinja2", ".j2", ".template", ".tmpl", ".tpl")
TEMPLATE_CHARACTERS = 256 * 1024
"""Of a template, with its escapes; those of language models have some thousands."""
_REMEDY = "Write the template without names of Python's own objects, as Jinja's sandbox would demand."


class Template:
    """A text that is a template as a whole, such as chat_template.jinja."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._text = ""
        self._is_long = False

    def feed(self, text: str) -> None:
        """Take the next characters."""
        kept = text[: TEMPLATE_CHARACTERS - len(self._text)]
        self._text += kept
        self._is_long |= len(kept) < len(text)

    def end(self) -> None:
        """Look at the whole."""
        if self._part.name.lower().endswith(_NAMES):
            tell_of_template(self._part, self._text)
            if self._is_long:
                tell_of_long_template(self._part)


def tell_of_template(part: Part, text: str) -> None:
    """Whether the expressions of a template reach for Python's own objects."""
    if not any(mark in text for mark in _MARKS):
        return
    for block in _blocks(text):
        if _REACHES.search(block):
            part.look.code(
                part.name,
                "template-code",
                "holds a template whose expressions reach for Python's own objects, which runs code where it is "
                "rendered without a sandbox",
                _REMEDY,
            )
            return


def tell_of_long_template(part: Part) -> None:
    """It is not looked at whole, and no library writes such a template."""
    part.look.costly(part.name, f"a template of more than {TEMPLATE_CHARACTERS:,} characters")


def _blocks(text: str) -> Iterator[str]:
    """What stands between the marks; behind one that nothing closes there are no others, and Jinja refuses the text."""
    at = 0
    while begin := _OPENS.search(text, at):
        end = _CLOSES.search(text, begin.end())
        if end is None:
            return
        yield text[begin.end() : end.start()]
        at = end.end()
