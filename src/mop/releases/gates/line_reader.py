"""The words of one line of conditions, and a reader that takes them from left to right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from mop.releases.gates.other_words import PREVIOUS, behind

_T = TypeVar("_T")


class WrongLine(Exception):  # the first fault of a line, on its way to `parse`
    def __init__(self, start: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.start, self.message, self.hint = start, message, hint


STRING, NUMBER, WORD, SYMBOL, END = "string", "number", "word", "symbol", "end"
_PATTERN = re.compile(
    r"""
    (?P<space>\s+|\#.*)
    | "(?P<string>(?:[^"]|"")*)"
    | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    | (?P<word>[^\W\d](?:[\w.-]*\w)?)
    | (?P<symbol>>=|<=|==|!=|=>|=<|[<>=≥≤≠\[\](){},:;|%])
    """,
    re.VERBOSE,
)
_SAME = {"≥": ">=", "≤": "<=", "=>": ">=", "=<": "<="}
_CURLY = "“”„«»‘’'"  # noqa: RUF001 # what text processors make of quotes


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def shown(self) -> str:
        """As a message names it."""
        return "the end of the line" if self.kind == END else f"“{self.text}”"


def tokens_of(line: str) -> list[Token]:
    found = []
    place = 0
    while place < len(line):
        match = _PATTERN.match(line, place)
        if match is None:
            raise _unreadable(line, place)
        kind = str(match.lastgroup)
        if kind != "space":
            text = match[kind]
            text = text.replace('""', '"') if kind == STRING else _SAME.get(text, text)
            found.append(Token(kind, text, match.start(), match.end()))
        place = match.end()
    return [*found, Token(END, "", len(line.rstrip()), len(line))]


def _unreadable(line: str, place: int) -> WrongLine:
    if line[place] == '"':
        return WrongLine(place, "This quote is never closed.", 'Write " behind the name.')
    if line[place] in _CURLY:
        return WrongLine(place, f"“{line[place]}” is no quote here.", 'Names stand in straight double quotes: "name".')
    if line[place] == "-" and re.match(r"-\s*[.\d]", line[place:]) and line[:place].rstrip()[-1:] in "<>=≥≤[":
        return WrongLine(place, "No measured value is negative.", "Take the minus away.")
    if line[place] == "-":
        return WrongLine(place, "“-” has no meaning here.", "A range is written as [0.8, 0.9].")
    return WrongLine(place, f"“{line[place]}” has no meaning here.", behind(line[place]))


class LineReader:
    """Reads the tokens of one line from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.named = -1  # the place behind the last name

    # what is next

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def is_next(self, *words: str) -> bool:
        ahead = self.tokens[self.place : self.place + len(words)]
        return len(ahead) == len(words) and all(
            token.kind in (WORD, SYMBOL) and token.text.lower() == word.lower()
            for token, word in zip(ahead, words, strict=True)
        )

    def take(self) -> Token:
        token = self.token
        self.place += token.kind != END
        return token

    def accept(self, *words: str) -> bool:
        if not self.is_next(*words):
            return False
        self.place += len(words)
        return True

    def expect(self, word: str, hint: str = "") -> None:
        if not self.accept(word):
            raise self.wrong((word,), hint)

    def choice(self, choices: Mapping[str, _T], what: str) -> _T:
        """The value of the word that is next."""
        for word, value in choices.items():
            if self.accept(word):
                return value
        raise self.wrong(choices, what=what)

    def wrong(self, expected: Iterable[str], hint: str = "", what: str = "") -> WrongLine:
        """The next token is none of these."""
        words = list(expected)
        if not hint and self.place == self.named and self.token.kind == WORD:
            name = f"{self.tokens[self.place - 1].text} {self.token.text}"
            hint = f'A name of several words stands in double quotes: "{name}".'
        elif not hint and self.token.kind == WORD:
            near = difflib.get_close_matches(self.token.text.lower(), [word.lower() for word in words], 1, 0.6)
            hint = next((f"Did you mean “{word}”?" for word in words if near and word.lower() == near[0]), "")
        listed = " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
        wanted = f"{what}: {listed}" if what else f"“{listed}”" if len(words) == 1 else listed
        return WrongLine(self.token.start, f"Expected {wanted}; found {self.token.shown}.", hint)

    def name(self, what: str) -> str:
        token = self.take()
        self.named = self.place
        if token.kind == STRING and token.text.strip():
            return token.text
        if token.kind in (WORD, NUMBER):
            return token.text
        if token.kind == STRING:
            raise WrongLine(token.start, f"The name of {what} is empty.")
        hint = f'Write the name behind it: {what.rsplit(maxsplit=1)[-1]} "name".'
        raise WrongLine(token.start, f"Expected the name of {what} in quotes; found {token.shown}.", hint)

    def number(self, what: str) -> Decimal:
        token = self.token
        if token.kind != NUMBER:
            hint = PREVIOUS if self.is_next("previous") or self.is_next("the", "previous") else ""
            raise WrongLine(token.start, f"Expected {what}; found {token.shown}.", hint)
        self.take()
        after, further = self.token, self.tokens[min(self.place + 1, len(self.tokens) - 1)]
        inside = any(one.text == "[" for one in self.tokens[: self.place])
        if after.text == "," and further.kind == NUMBER and after.start == token.end and not inside:
            hint = "" if "." in token.text else f"Write {token.text}.{further.text}."
            raise WrongLine(after.start, "Numbers have a point, not a comma.", hint)
        return Decimal(token.text)
