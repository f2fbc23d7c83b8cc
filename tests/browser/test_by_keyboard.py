"""What an owner does, from a new model to its end, with the keyboard alone, on a wide and on a narrow screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .browsing import Portal, listen, sign_in

pytestmark = pytest.mark.browser
TABS_MAX = 150
WIDTHS = (1440, 390)
# how many things that take the focus lie between what has it and an element, the last few left out
AHEAD = """element => {
  const takes = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(takes)].filter((one) => one.checkVisibility() && !one.disabled);
  return Math.max(all.indexOf(element) - all.indexOf(document.activeElement) - 5, 0);
}"""


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

    def press(self, role: str, name: str | re.Pattern[str], *, within: str = "main", key: str = "Enter") -> None:
        """Go to a link or button in a part of the page and press it."""
        self.reach(self._page.locator(within).get_by_role(role, name=name, exact=isinstance(name, str)))  # type: ignore[arg-type] # a role
        self._page.keyboard.press(key)

    def open(self, name: str) -> None:
        """Open a menu."""
        self.reach(self._page.locator("main summary").filter(has_text=name))
        self._page.keyboard.press("Enter")

    def fill(self, label: str, text: str) -> None:
        """Go to a field and type in the place of what it holds."""
        self.reach(self._page.get_by_label(label))
        self._page.keyboard.press("ControlOrMeta+a")
        self._page.keyboard.type(text)

    def choose(self, label: str) -> None:
        """Go to a list of choices and take the first after the one that stands."""
        self.reach(self._page.get_by_label(label))
        self._page.keyboard.press("ArrowDown")


@pytest.fixture(params=WIDTHS)
def walk(request: pytest.FixtureRequest, browser: Browser, portal: Portal) -> Iterator[tuple[int, Page, Keyboard]]:
    """A width, a page of that width, and its keyboard; the console stays silent."""
    context = browser.new_context(base_url=portal.url, viewport={"width": request.param, "height": 900})
    context.set_default_timeout(15_000)
    page = context.new_page()
    messages = listen(page)
    sign_in(page, "olivia")
    yield request.param, page, Keyboard(page)
    context.close()
    assert messages == []


def test_a_model_is_added_watched_and_deleted(walk: tuple[int, Page, Keyboard], portal: Portal):
    width, page, keyboard = walk
    name = f"typed-{width}"
    folder = portal.models / name
    folder.mkdir()
    (folder / "inference.py").touch()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    keyboard.press("link", "Add a model")
    keyboard.fill("Model name", name)
    keyboard.fill("Model url", folder.as_uri())
    keyboard.press("button", "Next: Connect tasks")
    keyboard.choose("Task of Hate")
    keyboard.press("button", "Add model")
    page.wait_for_url(f"**/models/{name}/?details=v1.0.0")
    expect(page.locator("#panel")).to_contain_text("waits for a Standard_F4s_v2 host")
    keyboard.press("button", "Cancel this run", within="#panel")
    expect(page.locator("#panel")).to_contain_text("cancelled by olivia")
    page.keyboard.press("Escape")
    keyboard.open(f"More actions for {name}")
    keyboard.press("link", "Delete model…")
    expect(page.get_by_role("main")).to_contain_text("version v1.0.0 (cancelled)")
    keyboard.press("button", "Delete model")
    expect(page.get_by_role("main")).to_contain_text(f"{name} is deleted.")


def test_a_verified_version_is_published_grouped_shared_and_edited(walk: tuple[int, Page, Keyboard], portal: Portal):
    width, page, keyboard = walk
    name = f"keyboard-shared-{width}"
    page.goto(f"/models/{name}/")
    publish(page, keyboard)
    group_and_share(page, keyboard, name, f"Group {width}")
    as_the_second_user(page, portal, width, name, f"Group {width}")
    edit(page, keyboard, name)
    page.goto(f"/models/{name}/")
    delete_model(page, keyboard, name)


def test_tasks_are_added_and_disconnected_and_a_version_upgraded_and_deleted(
    walk: tuple[int, Page, Keyboard], portal: Portal
):
    width, page, keyboard = walk
    name = f"keyboard-changed-{width}"
    change_tasks(page, keyboard, name)
    upgrade_and_compare(page, keyboard, name, portal)
    page.goto(f"/models/{name}/versions/v1.0.1/")
    keyboard.press("link", "Delete version…")
    keyboard.press("button", "Delete version")
    expect(page.get_by_role("main")).to_contain_text(f"v1.0.1 of {name} is deleted")
    delete_model(page, keyboard, name)


def test_load_tests_of_two_versions_are_compared(walk: tuple[int, Page, Keyboard]):
    width, page, keyboard = walk
    page.goto("/models/text-hate-severity/")
    keyboard.press("link", re.compile("details of the load test of v1.0.0"))
    place = "#panel" if width == WIDTHS[0] else "main"  # on a narrow screen it is a page of its own
    heading = page.locator(place).get_by_role("heading", name="Load test result (v1.0.0)")
    expect(heading).to_be_visible()
    if place == "#panel":
        expect(heading).to_be_focused()
    keyboard.reach(page.locator(place).get_by_label("v1.0.2"))
    page.keyboard.press("Space")
    keyboard.press("button", "Compare", within=place)
    expect(page.locator(place)).to_contain_text("Against v1.0.2")
    if place == "#panel":
        expect(heading).to_be_focused()
    assert "with=v1.0.2" in page.url  # a reload shows the same comparison
    keyboard.reach(page.locator(place).get_by_role("group", name=re.compile("^Steps")))


def test_a_log_is_opened_from_the_history_and_searched(walk: tuple[int, Page, Keyboard]):
    _, page, keyboard = walk
    page.goto("/models/text-hate-severity/?version=v1.0.0")
    keyboard.press("link", "Build log of v1.0.0")
    page.wait_for_url("**/versions/v1.0.0/logs/build/")
    keyboard.fill("Search in the log", "package")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=package*")
    expect(page.get_by_role("main").locator("mark").first).to_have_text("package")


def delete_model(page: Page, keyboard: Keyboard, name: str) -> None:
    keyboard.open(f"More actions for {name}")
    keyboard.press("link", "Delete model…")
    keyboard.press("button", "Delete model")
    expect(page.get_by_role("main")).to_contain_text(f"{name} is deleted.")


def publish(page: Page, keyboard: Keyboard) -> None:
    keyboard.press("button", re.compile("change who sees v1.0.0"))
    keyboard.press("button", "Make public")
    expect(page.get_by_role("main")).to_contain_text("v1.0.0 is public")


def group_and_share(page: Page, keyboard: Keyboard, name: str, group: str) -> None:
    keyboard.open("Groups")
    keyboard.press("link", "New group with this model")
    keyboard.fill("Name", group)
    keyboard.press("button", "Make group")
    page.wait_for_url("**/models/?group=*")
    expect(page.get_by_role("main")).to_contain_text(name)
    page.goto("/groups/")
    keyboard.press("link", f"Share {group}")
    keyboard.fill("User name", "sam")
    keyboard.press("button", "Share group")
    expect(page.get_by_role("rowheader", name="sam")).to_be_visible()


def as_the_second_user(owner: Page, portal: Portal, width: int, name: str, group: str) -> None:
    """Somebody whom a group was shared with finds it, sees what is public of its models, and can change nothing."""
    assert owner.context.browser is not None
    context = owner.context.browser.new_context(base_url=portal.url, viewport={"width": width, "height": 900})
    page = context.new_page()
    messages, keyboard, main = listen(page), Keyboard(page), page.get_by_role("main")
    sign_in(page, "sam")
    keyboard.open("All models")
    keyboard.press("link", re.compile(f"^{group}"))
    page.wait_for_url("**/models/?group=*")
    keyboard.press("link", name)
    expect(main.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(main).to_contain_text("v1.0.0")
    for what in ("Upgrade version", "Add task", re.compile("log of v1.0.0$")):
        expect(main.get_by_role("link", name=what)).to_have_count(0)
    expect(main.get_by_role("button", name=re.compile("change who sees"))).to_have_count(0)
    page.goto("/groups/")
    keyboard.press("button", re.compile(f"Remove from my list.*{group}"))
    expect(main.get_by_role("button", name=re.compile(f"Show in my list.*{group}"))).to_be_visible()
    context.close()
    assert messages == []


def edit(page: Page, keyboard: Keyboard, name: str) -> None:
    main = page.get_by_role("main")
    page.goto(f"/models/{name}/versions/v1.0.0/")
    keyboard.press("link", "Edit the note of v1.0.0")
    keyboard.fill("Version note", "Written without a mouse")
    keyboard.press("button", "Save note")
    expect(main).to_contain_text("Written without a mouse")
    expect(main.get_by_role("button", name="Save note")).to_have_count(0)
    keyboard.press("link", "Edit sample post data")
    keyboard.fill("Sample post data", '{"text": "typed"}')
    keyboard.press("button", "Verify this sample")
    expect(main).to_contain_text("Change of the sample post data")


def change_tasks(page: Page, keyboard: Keyboard, name: str) -> None:
    main = page.get_by_role("main")
    page.goto(f"/models/{name}/")
    keyboard.press("link", "Add task")
    keyboard.press("button", "Add task")
    expect(main).to_contain_text("is connected.")
    keyboard.press("link", "Disconnect task… violence-binary")
    keyboard.press("button", "Disconnect task")
    expect(main.locator("#connected-tasks-live")).not_to_contain_text("violence-binary")


def upgrade_and_compare(page: Page, keyboard: Keyboard, name: str, portal: Portal) -> None:
    folder = portal.models / name
    folder.mkdir()
    (folder / "inference.py").touch()
    keyboard.press("link", "Upgrade version")
    keyboard.fill("Model url", folder.as_uri())
    keyboard.press("button", "Upgrade version")
    page.wait_for_url(f"**/models/{name}/?details=v1.0.1")
    page.goto(f"/models/{name}/")
    keyboard.press("link", "Compare versions")
    expect(page.get_by_role("main")).to_contain_text("They differ in")
