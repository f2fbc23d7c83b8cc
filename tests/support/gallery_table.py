"""The table of docs/model-contributor-guide.md: what somebody did, the error, the hint.

`python tests/support/gallery_table.py` writes it anew from what the gallery's tests prove.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.made_folders import MADE

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "model-contributor-guide.md"
BEGIN = "<!-- gallery: written by tests/support/gallery_table.py -->\n"
END = "<!-- end of gallery -->\n"


def table() -> str:
    """Both tables in Markdown: those that fail, in the order in which a model meets the rules, and those that pass."""
    broken = ["| what you did | error | hint |", "| --- | --- | --- |", *_broken()]
    unruly = ["| what you did | outcome |", "| --- | --- |", *_unruly()]
    return "\n".join((*broken, "", "MOP copes with the following, and says so where it matters:", "", *unruly, ""))


def _broken() -> Iterator[str]:
    told = json.loads((ROOT / "samples" / "broken" / "EXPECTED.json").read_text(encoding="utf-8"))
    rows = [(one["did"], one["error"], one["hint"]) for one in told.values()]
    rows += [(made.did, made.error, made.hint) for made in MADE.values()]
    order = list(dict.fromkeys(error for _, error, _ in rows))
    for did, error, hint in sorted(rows, key=lambda row: order.index(row[1])):
        yield f"| {did} | [{error}](errors.md#{error.lower()}) | {hint.replace('|', chr(92) + '|')} |"


def _unruly() -> Iterator[str]:
    told = json.loads((ROOT / "samples" / "unruly" / "EXPECTED.json").read_text(encoding="utf-8"))
    for one in told.values():
        outcome = f"`verified`, with the warning “{one['warning']}”" if one["warning"] else "`verified`"
        yield f"| {one['did']} | {outcome} |"


def written() -> str:
    """The guide with the tables of now."""
    text = GUIDE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    GUIDE.write_text(written(), encoding="utf-8")
