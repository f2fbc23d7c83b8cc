"""A model card as Markdown. Texts of people cannot become anything else in it."""

from __future__ import annotations

import re

from mop.releases.cards.card_sections import Section, Table, sections_of
from mop.releases.cards.document import Card

_MEANT = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_AT_THE_BEGINNING = re.compile(r"^(\s*)([-+=]|\d+[.)])", re.MULTILINE)


def to_markdown(card: Card) -> str:
    """The card, the same text for the same card."""
    lines = [f"# {_plain(card.model)} {_plain(card.version)}", ""]
    for section in sections_of(card):
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> list[str]:
    lines = [f"## {section.title}", ""]
    for text in section.texts:
        lines += [_AT_THE_BEGINNING.sub(r"\1\\\2", _plain(text)), ""]
    if section.facts:
        lines += [*(f"- {name}: {_on_one_line(value)}" for name, value in section.facts), ""]
    for table in section.tables:
        lines += _table(table)
    return lines


def _table(table: Table) -> list[str]:
    lines = [f"### {_on_one_line(table.caption)}", ""] if table.caption else []
    rule = ["---:" if place in table.numeric else "---" for place in range(len(table.head))]
    for row in (table.head, rule, *table.rows):
        cells = row if row is rule else map(_on_one_line, row)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _on_one_line(text: str) -> str:
    return " ".join(_plain(text).split())


def _plain(text: str) -> str:
    shown = "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)
    return _MEANT.sub(r"\\\1", shown)
