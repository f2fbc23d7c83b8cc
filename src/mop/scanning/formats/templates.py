"""Templates of Jinja, as chat templates are: some programs render them outside of Jinja's sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mop.scanning.formats.base import Part

_OPENS = re.compile(
    r"\{#.*?(?:#\}|\Z)"
    r"|\{%[-+]?\s*raw\s*[-+]?%\}.*?(?:\{%[-+]?\s*endraw\s*[-+]?%\}|\Z)"
    r"|(\{[{%])",
    re.DOTALL,
)
"""A comment, a raw text, or the mark before an expression."""
_INSIDE = re.compile(
    r"""(?P<text>'(?:[^'\\]++|\\.)*+(?P<end>'|\\?\Z)|"(?:[^"\\]++|\\.)*+(?P<end2>"|\\?\Z))|%\}|[(){}\[\]]""", re.DOTALL
)
_REACHES = re.compile(
    r"__|\\x5f|\\u005f|\|\s*attr\b|\battr\s*\(|\.\s*(?:mro|gi_frame|cr_frame|f_globals|func_globals|popen|system)\b"
    r"|['\"]_+['\"]\s*(?:\*|[~+]\s*['\"]_+['\"])|%c.*\bformat\b|^-?\s*(?:import|from|include|extends)\s",
    re.IGNORECASE,
)
_VALUE_ENDS = frozenset(")]}'\"_")
"""Behind one of them, a letter or a digit, a bracket takes something out of a value."""
_MAKES_TEXT = re.compile(
    r"""\|\s*(?:format|replace|join|reverse|string|pprint|urlize)\b|\.\s*(?:format|replace|join)\s*\(|~"""
    r"""|['"]\s*[%*\[]|^\s*['"](?:_|[^'"]*_['"])|[(,]\s*_+\s*="""
)
"""What may put a name together of pieces that do not show it."""
_BEGINS_PLAINLY = re.compile(r"""\s*(?:'[A-Za-z0-9][^'\\]*'|"[A-Za-z0-9][^"\\]*")\s*~(?!.*(?:\||\bif\b))""", re.DOTALL)
"""A text that begins with a letter, whatever follows: no name of Python's own objects does."""
_CALLS = re.compile(r"(?<![.\w|])(?!(?:range|len|int)\b)[A-Za-z_]\w*\s*\(")
_GIVES_NAME = re.compile(r"^[-+]?\s*(?:set\s+(\w+)\s*(?:=(.*)|[-+|]?.*)|for\s+(\w+)\s+in\s+(.*))$", re.DOTALL)
_WORD = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
_BY_ATTRIBUTE = re.compile(r"""\battribute\s*=\s*(?!\s|\d|['"][\w.]*['"]\s*[,)])""")
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
    made: set[str] = set()
    for block in _blocks(text):
        if _REACHES.search(block) or _REACHES.search(_without_escapes(block)) or _computes_a_name(block, made):
            part.look.code(
                part.name,
                "template-code",
                "holds a template whose expressions reach for Python's own objects, which runs code where it is "
                "rendered without a sandbox",
                _REMEDY,
            )
            return


def _computes_a_name(block: str, made: set[str]) -> bool:
    """Whether an expression takes something by a name that it puts together; `made` keeps what was put together."""
    if given := _GIVES_NAME.match(block):
        name, value = given[1] or given[3], given[2] if given[1] else given[4]
        if value is None or _MAKES_TEXT.search(value) or made.intersection(_WORD.findall(value)):
            made.add(name)
    if _BY_ATTRIBUTE.search(block):
        return True
    return any(
        (_MAKES_TEXT.search(found) and not _BEGINS_PLAINLY.match(found))
        or _CALLS.search(found)
        or made.intersection(_WORD.findall(found))
        for found in _subscripts(block)
    )


def _subscripts(block: str) -> Iterator[str]:
    """What stands in brackets behind values: places in them, or names; what is in brackets inside is left out."""
    opened: list[tuple[bool, list[str]]] = [(False, [])]
    at = 0
    for token in _INSIDE.finditer(block):
        before = block[at : token.start()]
        pieces = opened[-1][1]
        pieces.append(before)
        at = token.end()
        if token[0] == "[":
            last = (before.rstrip() or "".join(pieces[-2:-1]))[-1:]
            opened.append((last.isalnum() or last in _VALUE_ENDS, []))
        elif token[0] == "]" and len(opened) > 1:
            is_subscript, inside = opened.pop()
            if is_subscript:
                yield "".join(inside)
            opened[-1][1].append("[]")
        else:
            pieces.append(token[0])


def tell_of_long_template(part: Part) -> None:
    """It is not looked at whole, and no library writes such a template."""
    part.look.costly(part.name, f"a template of more than {TEMPLATE_CHARACTERS:,} characters")


def _blocks(text: str) -> Iterator[str]:
    """What stands between the marks; behind one that nothing closes there are no others, and Jinja refuses the text."""
    at = 0
    while begin := _OPENS.search(text, at):
        at = begin.end()
        if begin[1] is None:
            continue
        end = _end_of_block(text, at, "}}" if begin[1] == "{{" else "%}")
        if end < 0:
            return
        yield text[at:end]
        at = end + 2


def _end_of_block(text: str, at: int, mark: str) -> int:
    """Where the mark stands that closes an expression: in no string and no bracket; -1 if nothing does."""
    depth = 0
    for token in _INSIDE.finditer(text, at):
        if token["text"]:
            if (token["end"] or token["end2"] or "\\") == "\\":  # the text ends before the string does
                return -1
            continue
        if not depth and text.startswith(mark, token.start()):
            return token.start()
        depth += 1 if token[0] in "([{" else -1 if depth else 0
    return -1


def _without_escapes(block: str) -> str:
    try:
        return block.encode("ascii", "backslashreplace").decode("unicode-escape")
    except UnicodeDecodeError:
        return block
