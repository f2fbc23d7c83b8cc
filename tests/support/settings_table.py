"""The settings table of docs/operations.md. `python tests/support/settings_table.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from mop.conf.listing import shown
from mop.conf.options import OPTIONS, VARIABLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
HEAD = "| setting | default | meaning |\n| --- | --- | --- |\n"


def table() -> str:
    """What stands after the table's head: a row for each variable and setting."""
    rows = [(name, "", meaning) for name, meaning, _ in VARIABLES]
    rows += [(option.name, shown(option.default), option.meaning) for option in OPTIONS]
    return "".join(
        f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |\n" for name, default, meaning in rows
    )


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text(encoding="utf-8").partition(HEAD)[0] + HEAD + table(), encoding="utf-8")
