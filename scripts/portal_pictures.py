"""Pictures of every page of the portal, light and dark, wide and narrow, from the installation of the browser tests.

    PYTHONPATH=tests python scripts/portal_pictures.py FOLDER [part of an address ...]

Each page becomes NAME-THEME-WIDTH.png in the folder, the whole page at 390 px and the window at 1440 x 900.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from browser.browsing import Portal, launch, running_portal, sign_in
from browser.pages import ADMINISTRATOR_PAGES, ALIKE, OPEN_PAGES, OWNER_PAGES, begin_drafts, open_page

WIDTHS = (1440, 390)
THEMES = ("light", "dark")
PEOPLE = (
    ("", OPEN_PAGES),
    ("olivia", OWNER_PAGES + ALIKE["olivia"]),
    ("ada", ADMINISTRATOR_PAGES + ALIKE["ada"]),
)
DRAFTS_OF = "olivia"


def main(folder: Path, wanted: Sequence[str]) -> None:
    """Make the pictures; `wanted` keeps the addresses that hold one of its texts, all when empty."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        running_portal(Path(home)) as portal,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for theme in THEMES:
            for width in WIDTHS:
                for username, urls in PEOPLE:
                    chosen = [url for url in urls if not wanted or any(text in url for text in wanted)]
                    _take(browser, portal, folder, theme=theme, width=width, username=username, urls=chosen)
        browser.close()


def _take(
    browser: Browser, portal: Portal, folder: Path, *, theme: str, width: int, username: str, urls: Sequence[str]
) -> None:
    if not urls:
        return
    context = browser.new_context(
        base_url=portal.url,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if username:
        sign_in(page, username)
    if username == DRAFTS_OF:
        urls = [*urls, *begin_drafts(page, portal.models)]
    for url in urls:
        if not open_page(page, url):
            print(f"NO PAGE: {url}", file=sys.stderr)
        path = folder / f"{_name(url, username)}-{theme}-{width}.png"
        page.screenshot(path=path, full_page=width < WIDTHS[0])
        print(path)
    context.close()


def _name(url: str, username: str) -> str:
    without_draft = re.sub(r"(?<=/draft/)[^/]+/|(?<=^/add-datasets/)[^/]+", "connect", url)
    words = re.sub(r"[^A-Za-z0-9.]+", "-", without_draft).strip("-")
    return f"{username or 'open'}-{words or 'first'}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("wanted", nargs="*", metavar="PART", help="of an address; all pages if left out")
    given = parser.parse_args()
    main(given.folder, given.wanted)
