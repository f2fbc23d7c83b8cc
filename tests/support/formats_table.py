"""The table of formats in docs/scanning.md. `python tests/support/formats_table.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from mop.scanning.formats import FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scanning.md"
HEAD = "| format | what runs when it is loaded | what is looked at |\n| --- | --- | --- |\n"
END = "\n"


def table() -> str:
    """A row for each format, in the order in which they are asked."""
    return "".join(f"| {one.name} | {one.runs} | {one.seen} |\n" for one in FORMATS)


def written() -> str:
    """The rows that the page has."""
    return PAGE.read_text(encoding="utf-8").partition(HEAD)[2].partition("\n\n")[0] + END


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    PAGE.write_text(before + HEAD + table() + "\n" + rest.partition("\n\n")[2], encoding="utf-8")
