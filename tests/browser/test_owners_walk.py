"""What an owner does, from a new model to its end, wide and narrow: by mouse, and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .browsing import Portal, listen, sign_in

pytestmark = pytest.mark.browser
TABS_MAX = 150
HANDS = ("keyboard", "mouse")
WIDTHS = (1440, 390)
# how many things that take the focus lie between what has it and an element, the last few left out
AHEAD = """element => {
  const takes = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(takes)].filter((one) => one.checkVisibility() && !one.disabled);
  return Math.max(all.indexOf(element) - all.indexOf(document.activeElement) - 5, 0);
}"""


class Hand(Protocol):
    """How somebody works: each does the same things, in their own way."""

    def press(self, role: str, name: str | re.Pattern[str], *, within: str = "main") -> None:
        """Press a link or button in a part of the page."""

    def open(self, name: str) -> None:
        """Open a menu."""

    def fill(self, label: str, text: str) -> None:
        """Type into a field in the place of what it holds."""

    def choose(self, label: str) -> None:
        """Take the first of a list of choices after the one that stands."""

    def tick(self, label: str, *, within: str) -> None:
        """Check a box."""

    def close_panel(self) -> None:
        """Close the panel beside the page."""

    def search(self) -> None:
        """Send the search that was typed."""


class Mouse:
    """Somebody who points at things; what covers something is an error, as is what stands off the screen."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def press(self, role: str, name: str | re.Pattern[str], *, within: str = "main") -> None:
        self._page.locator(within).get_by_role(role, name=name, exact=isinstance(name, str)).click()  # type: ignore[arg-type] # a role

    def open(self, name: str) -> None:
        self._page.locator("main summary").filter(has_text=name).click()

    def fill(self, label: str, text: str) -> None:
        self._page.get_by_label(label).click(click_count=3)
        self._page.get_by_label(label).fill(text)

    def choose(self, label: str) -> None:
        self._page.get_by_label(label).select_option(index=1)

    def tick(self, label: str, *, within: str) -> None:
        self._page.locator(within).get_by_label(label).click()

    def close_panel(self) -> None:
        self.press("link", "Close panel", within="#panel")

    def search(self) -> None:
        self.press("button", "Search")


class Keyboard:
    """Somebody who has no mouse: goes from one thing to the next with Tab, and sees what has the focus."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def reach(self, thing: Locator) -> None:
        """Go on with Tab until the thing has the focus; it is an error if it never has."""
        expect(thing).to_have_count(1)
        for _ in range(thing.evaluate(AHEAD)):  # most of the way without a look at each step
            self._page.keyboard.press("Tab")
        for _ in range(TABS_MAX):
            if thing.evaluate("element => element === document.activeElement"):
                return
            self._page.keyboard.press("Tab")
        pytest.fail(f"{thing} is not reached by Tab")

    def press(self, role: str, name: str | re.Pattern[str], *, within: str = "main") -> None:
        self.reach(self._page.locator(within).get_by_role(role, name=name, exact=isinstance(name, str)))  # type: ignore[arg-type] # a role
        self._page.keyboard.press("Enter")

    def open(self, name: str) -> None:
        self.reach(self._page.locator("main summary").filter(has_text=name))
        self._page.keyboard.press("Enter")

    def fill(self, label: str, text: str) -> None:
        self.reach(self._page.get_by_label(label))
        self._page.keyboard.press("ControlOrMeta+a")
        self._page.keyboard.type(text)

    def choose(self, label: str) -> None:
        self.reach(self._page.get_by_label(label))
        self._page.keyboard.press("ArrowDown")

    def tick(self, label: str, *, within: str) -> None:
        self.reach(self._page.locator(within).get_by_label(label))
        self._page.keyboard.press("Space")

    def close_panel(self) -> None:
        self._page.keyboard.press("Escape")

    def search(self) -> None:
        self._page.keyboard.press("Enter")


@dataclass(frozen=True)
class Walk:
    """Somebody's page of a width, and what it is used with."""

    name: str
    width: int
    page: Page
    hand: Hand

    @property
    def is_wide(self) -> bool:
        """Whether a panel stands beside the page."""
        return self.width == WIDTHS[0]

    @property
    def called(self) -> str:
        """In the names of what it makes."""
        return f"{self.name}-{self.width}"


def hand_of(name: str, page: Page) -> Hand:
    return Keyboard(page) if name == "keyboard" else Mouse(page)


@pytest.fixture(params=[f"{hand}-{width}" for hand in HANDS for width in WIDTHS])
def walk(request: pytest.FixtureRequest, browser: Browser, portal: Portal) -> Iterator[Walk]:
    """An owner's; the console stays silent."""
    name, _, width = request.param.partition("-")
    context = browser.new_context(base_url=portal.url, viewport={"width": int(width), "height": 900})
    context.set_default_timeout(15_000)
    page = context.new_page()
    messages = listen(page)
    sign_in(page, "olivia")
    yield Walk(name, int(width), page, hand_of(name, page))
    context.close()
    assert messages == []


def test_a_model_is_added_watched_and_deleted(walk: Walk, portal: Portal):
    page, hand, name = walk.page, walk.hand, f"added-{walk.called}"
    folder = portal.models / name
    folder.mkdir()
    (folder / "inference.py").touch()
    if isinstance(hand, Keyboard):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
    hand.press("link", "Add a model")
    hand.fill("Model name", name)
    hand.fill("Model url", folder.as_uri())
    hand.press("button", "Next: Connect tasks")
    hand.choose("Task of Hate")
    hand.press("button", "Add model")
    page.wait_for_url(f"**/models/{name}/?details=v1.0.0")
    expect(page.locator("#panel")).to_contain_text("waits for a Standard_F4s_v2 host")
    hand.press("button", "Cancel this run", within="#panel")
    expect(page.locator("#panel")).to_contain_text("cancelled by olivia")
    hand.close_panel()
    hand.open(f"More actions for {name}")
    hand.press("link", "Delete model…")
    expect(page.get_by_role("main")).to_contain_text("version v1.0.0 (cancelled)")
    hand.press("button", "Delete model")
    expect(page.get_by_role("main")).to_contain_text(f"{name} is deleted.")


def test_a_verified_version_is_published_grouped_shared_and_edited(walk: Walk, portal: Portal):
    page, hand, name, group = walk.page, walk.hand, f"shared-{walk.called}", f"Group {walk.called}"
    page.goto(f"/models/{name}/")
    publish(page, hand)
    group_and_share(page, hand, name, group)
    as_the_second_user(walk, portal, name, group)
    edit(page, hand, name)
    page.goto(f"/models/{name}/")
    delete_model(page, hand, name)


def test_tasks_are_added_and_disconnected_and_a_version_upgraded_and_deleted(walk: Walk, portal: Portal):
    page, hand, name = walk.page, walk.hand, f"changed-{walk.called}"
    change_tasks(page, hand, name)
    upgrade_and_compare(page, hand, name, portal)
    page.goto(f"/models/{name}/versions/v1.0.1/")
    hand.press("link", "Delete version…")
    hand.press("button", "Delete version")
    expect(page.get_by_role("main")).to_contain_text(f"v1.0.1 of {name} is deleted")
    delete_model(page, hand, name)


def test_load_tests_of_two_versions_are_compared(walk: Walk):
    page, hand = walk.page, walk.hand
    page.goto("/models/text-hate-severity/")
    hand.press("link", re.compile("details of the load test of v1.0.0"))
    place = "#panel" if walk.is_wide else "main"  # on a narrow screen it is a page of its own
    heading = page.locator(place).get_by_role("heading", name="Load test result (v1.0.0)")
    expect(heading).to_be_visible()
    if place == "#panel":
        expect(heading).to_be_focused()
    hand.tick("v1.0.2", within=place)
    hand.press("button", "Compare", within=place)
    expect(page.locator(place)).to_contain_text("Against v1.0.2")
    if place == "#panel":
        expect(heading).to_be_focused()
    assert "with=v1.0.2" in page.url  # a reload shows the same comparison
    if isinstance(hand, Keyboard):  # a table that scrolls
        hand.reach(page.locator(place).get_by_role("group", name=re.compile("^Steps")))


def test_a_log_is_opened_from_the_history_and_searched(walk: Walk):
    page, hand = walk.page, walk.hand
    page.goto("/models/text-hate-severity/?version=v1.0.0")
    hand.press("link", "Build log of v1.0.0")
    page.wait_for_url("**/versions/v1.0.0/logs/build/")
    hand.fill("Search in the log", "package")
    hand.search()
    page.wait_for_url("**search=package*")
    expect(page.get_by_role("main").locator("mark").first).to_have_text("package")


def delete_model(page: Page, hand: Hand, name: str) -> None:
    hand.open(f"More actions for {name}")
    hand.press("link", "Delete model…")
    hand.press("button", "Delete model")
    expect(page.get_by_role("main")).to_contain_text(f"{name} is deleted.")


def publish(page: Page, hand: Hand) -> None:
    hand.press("button", re.compile("change who sees v1.0.0"))
    hand.press("button", "Make public")
    expect(page.get_by_role("main")).to_contain_text("v1.0.0 is public")


def group_and_share(page: Page, hand: Hand, name: str, group: str) -> None:
    hand.open("Groups")
    hand.press("link", "New group with this model")
    hand.fill("Name", group)
    hand.press("button", "Create group")
    page.wait_for_url("**/models/?group=*")
    expect(page.get_by_role("main")).to_contain_text(name)
    page.goto("/groups/")
    hand.press("link", f"Share {group}")
    hand.fill("User name", "sam")
    hand.press("button", "Share group")
    expect(page.get_by_role("rowheader", name="sam")).to_be_visible()


def as_the_second_user(walk: Walk, portal: Portal, name: str, group: str) -> None:
    """Somebody whom a group was shared with finds it, sees what is public of its models, and can change nothing."""
    assert walk.page.context.browser is not None
    size = {"width": walk.width, "height": 900}
    context = walk.page.context.browser.new_context(base_url=portal.url, viewport=size)  # type: ignore[arg-type] # a size
    page = context.new_page()
    messages, hand, main = listen(page), hand_of(walk.name, page), page.get_by_role("main")
    sign_in(page, "sam")
    hand.open("All models")
    hand.press("link", re.compile(f"^{group}"))
    page.wait_for_url("**/models/?group=*")
    hand.press("link", name)
    expect(main.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(main).to_contain_text("v1.0.0")
    for what in ("Upgrade version", "Add task", re.compile("log of v1.0.0$")):
        expect(main.get_by_role("link", name=what)).to_have_count(0)
    expect(main.get_by_role("button", name=re.compile("change who sees"))).to_have_count(0)
    page.goto("/groups/")
    hand.press("button", re.compile(f"Remove from my list.*{group}"))
    expect(main.get_by_role("button", name=re.compile(f"Show in my list.*{group}"))).to_be_visible()
    context.close()
    assert messages == []


def edit(page: Page, hand: Hand, name: str) -> None:
    main = page.get_by_role("main")
    page.goto(f"/models/{name}/versions/v1.0.0/")
    hand.press("link", "Edit the note of v1.0.0")
    hand.fill("Version note", "Written without a mouse")
    hand.press("button", "Save note")
    expect(main).to_contain_text("Written without a mouse")
    expect(main.get_by_role("button", name="Save note")).to_have_count(0)
    hand.press("link", "Edit sample post data")
    hand.fill("Sample post data", '{"text": "typed"}')
    hand.press("button", "Verify this sample")
    expect(main).to_contain_text("Change of the sample post data")


def change_tasks(page: Page, hand: Hand, name: str) -> None:
    main = page.get_by_role("main")
    page.goto(f"/models/{name}/")
    hand.press("link", "Add task")
    hand.press("button", "Add task")
    expect(main).to_contain_text("is connected.")
    hand.press("link", "Disconnect task… violence-binary")
    hand.press("button", "Disconnect task")
    expect(main.locator("#connected-tasks-live")).not_to_contain_text("violence-binary")


def upgrade_and_compare(page: Page, hand: Hand, name: str, portal: Portal) -> None:
    folder = portal.models / name
    folder.mkdir()
    (folder / "inference.py").touch()
    hand.press("link", "Upgrade version")
    hand.fill("Model url", folder.as_uri())
    hand.press("button", "Upgrade version")
    page.wait_for_url(f"**/models/{name}/?details=v1.0.1")
    page.goto(f"/models/{name}/")
    hand.press("link", "Compare versions")
    expect(page.get_by_role("main")).to_contain_text("They differ in")
