"""A model card as one HTML file that needs nothing else: no script, no picture, no address."""

from __future__ import annotations

from html import escape

from mop.releases.cards.card_sections import Section, Table, sections_of
from mop.releases.cards.document import Card

_STYLE = """
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0 1rem; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: 0.25rem 0.6rem; }
th, td { text-align: left; vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
dt { font-weight: 600; } dd { margin: 0 0 0.5rem; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; }
"""


def to_html(card: Card) -> str:
    """The card, the same text for the same card."""
    title = escape(f"{card.model} {card.version}")
    body = "\n".join(map(_section, sections_of(card)))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Model card: {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = [f'<p class="text">{escape(text)}</p>' for text in section.texts]
    if section.facts:
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in section.facts)
        parts.append(f"<dl>{facts}</dl>")
    parts += map(_table, section.tables)
    return f'<section id="{section.anchor}">\n<h2>{escape(section.title)}</h2>\n' + "\n".join(parts) + "\n</section>"


def _table(table: Table) -> str:
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    head = _row(table, table.head, '<th scope="col"', "</th>")
    rows = "\n".join(_row(table, row, "<td", "</td>") for row in table.rows)
    return f"<div><table>{caption}\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"


def _row(table: Table, cells: tuple[str, ...], begin: str, end: str) -> str:
    shown = (f"{begin}{_number(table, place)}>{escape(cell)}{end}" for place, cell in enumerate(cells))
    return f"<tr>{''.join(shown)}</tr>"


def _number(table: Table, place: int) -> str:
    return ' class="number"' if place in table.numeric else ""
