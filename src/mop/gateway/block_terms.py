"""Finding the terms of blocklists in a text.

Case does not matter, nor do compatible forms of a character (NFKC). A term that begins or ends with a letter of a
script with upper and lower case, or with a digit, is found as a whole word only: "ass" is not in "class". Letters of
scripts without case (Chinese, Japanese, Thai, Arabic, ...) are found anywhere, since many of them write no spaces.

Every place of the text is looked up by its first three characters, and where terms begin so, once for each length that
they have: ten thousand terms cost little more than ten.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

KEY_CHARACTERS = 3


class Term(NamedTuple):
    """One item of a blocklist."""

    blocklist: str
    item_id: str
    text: str


_NONE: dict[int, dict[str, list[Term]]] = {}


class BlockTerms:
    """The items of one blocklist."""

    def __init__(self, terms: Iterable[Term]) -> None:
        # first characters of a term -> its length -> itself
        self._by_start: dict[str, dict[int, dict[str, list[Term]]]] = {}
        for term in terms:
            if form := folded(term.text):
                same_length = self._by_start.setdefault(form[:KEY_CHARACTERS], {}).setdefault(len(form), {})
                same_length.setdefault(form, []).append(term)
        self._key_lengths = sorted({len(key) for key in self._by_start})

    def matches(self, text: str) -> list[Term]:
        """The terms that stand in a folded text, in the order of their first places; each once."""
        found: dict[str, Term] = {}
        for place in range(len(text)) if self._by_start else ():
            for key_length in self._key_lengths:
                for length, forms in self._by_start.get(text[place : place + key_length], _NONE).items():
                    form = text[place : place + length]
                    if form in forms and _stands_alone(text, place, form):
                        found.update({term.item_id: term for term in forms[form] if term.item_id not in found})
        return list(found.values())


def folded(text: str) -> str:
    """The form in which texts and terms are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def _stands_alone(text: str, place: int, form: str) -> bool:
    end = place + len(form)
    begins = place == 0 or not (_joins(text[place - 1]) and _joins(form[0]))
    return begins and (end == len(text) or not (_joins(text[end]) and _joins(form[-1])))


def _joins(character: str) -> bool:
    """Whether it makes one word with a neighbour of its kind."""
    return character.isalnum() and unicodedata.category(character) != "Lo"
