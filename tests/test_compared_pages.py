"""docs/portal.md says of every page that is pictured how it was compared with the design."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from django.urls import resolve

from browser.pages import ADMINISTRATOR_PAGES, ALIKE, OPEN_PAGES, OWNER_PAGES, SECOND_STEPS

DOCS = Path(__file__).parents[1] / "docs" / "portal.md"


def pictured() -> set[str]:
    """Addresses of the pages that the script makes pictures of; names and ids are `…`."""
    urls = (*OPEN_PAGES, *OWNER_PAGES, *ADMINISTRATOR_PAGES, *(url for part in ALIKE.values() for url in part))
    paths = [url.partition("?")[0] for url in (*urls, *SECOND_STEPS)]
    return {"/" + re.sub(r"<[^>]+>", "…", resolve(path).route) for path in paths}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    _, _, section = DOCS.read_text(encoding="utf-8").partition(f"\n### {heading}\n")
    table = re.search(r"^\|.*?(?=\n\n)", section, re.DOTALL | re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def test_every_pictured_page_stands_in_one_row_of_those_compared():
    named = Counter(
        address for row in rows("The pages and their sketches") for address in re.findall("`([^`]+)`", row[2])
    )
    assert set(named) ^ pictured() == set()
    assert [address for address, count in named.items() if count > 1] == []


@pytest.mark.parametrize("row", rows("What differs"), ids=lambda row: row[0])
def test_every_difference_is_of_a_page_that_was_compared(row: list[str]):
    compared = {name for name, *_ in rows("The pages and their sketches")}
    assert set(row[0].split(", ")) <= compared | {"top bar and side bar"}
    assert row[2], "a difference has a reason"
