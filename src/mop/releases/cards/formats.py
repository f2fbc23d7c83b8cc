"""The forms in which a model card is given out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mop.releases.cards.document import Card
from mop.releases.cards.html import to_html
from mop.releases.cards.markdown import to_markdown


@dataclass(frozen=True)
class CardFormat:
    """A form of the card: its media type, and what writes it."""

    media_type: str
    write: Callable[[Card], str]


FORMATS: Mapping[str, CardFormat] = {
    "json": CardFormat("application/json", Card.to_json),
    "md": CardFormat("text/markdown; charset=utf-8", to_markdown),
    "html": CardFormat("text/html; charset=utf-8", to_html),
}
