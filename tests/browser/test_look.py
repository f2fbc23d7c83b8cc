"""Every page, light and dark, wide and narrow: axe finds nothing, nothing is cut off, the console is silent."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from .browsing import Portal, listen, sign_in

pytestmark = pytest.mark.browser

OPEN_PAGES = ("/accounts/login/", "/accounts/inactive/", "/errors/")
OWNER_PAGES = (
    "/models/",
    "/models/?status=all&search=nothing+fits",
    "/models/text-hate-severity/",
    "/models/text-hate-severity/?details=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.0&with=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.1",
    "/models/text-hate-severity/versions/v1.0.2/load-test/?run=1&with=v1.0.0",
    "/models/text-hate-severity/versions/v1.0.0/load-test/enable/",
    "/models/text-hate-severity/versions/v1.0.2/load-test/cancel/",
    "/models/text-hate-severity/upgrade/",
    "/models/text-hate-severity/delete/",
    "/models/text-hate-severity/?details=v1.0.1",
    "/models/text-hate-severity/versions/v1.0.1/findings/",
    "/models/text-hate-severity/versions/v1.0.1/findings/?severity=low&action=block",
    "/models/text-hate-severity/versions/v1.0.1/findings/files/",
    "/models/text-hate-severity/waivers/",
    "/models/image-violence/versions/v1.0.1/findings/",
    "/models/image-violence/waivers/",
    "/models/broken-model/?details=v1.0.0",
    "/models/image-violence/?details=v1.0.0",
    "/models/cut-off/versions/v1.0.0/",
    "/models/cut-off/versions/v1.0.0/note/",
    "/models/text-hate-severity/versions/v1.0.0/logs/deployment/",
    "/models/text-hate-severity/versions/v1.0.0/logs/build/?search=package",
    "/models/image-violence/versions/v1.0.1/logs/build/",
    "/add-model/",
    "/tasks/",
    "/tasks/1/",
    "/datasets/",
    "/datasets/?status=all&sort=-updated",
    "/datasets/?search=nothing+fits",
    "/datasets/hate-en-2026/",
    "/datasets/hate-posts-2025/",
    "/datasets/self-harm-chat/",
    "/datasets/hate-en-2026/tasks/",
    "/datasets/hate-en-2026/delete/",
    "/add-datasets/",
    "/notifications/",
    "/notifications/settings/",
    "/account/tokens/",
    "/accounts/password/change/",
    "/accounts/logout/",
)
ADMINISTRATOR_PAGES = (
    "/datasets/",
    "/datasets/hate-posts-2025/",
    "/tasks/1/",
    "/connection-requests/1/reject/",
    "/models/",
    "/models/cut-off/versions/v1.0.0/",
    "/models/cut-off/versions/v1.0.0/hosts/",
    "/notifications/",
    "/notifications/?show=unread",
    "/models/text-hate-severity/versions/v1.0.1/findings/",
    "/models/text-hate-severity/waivers/",
    "/models/text-hate-severity/waivers/add/?scanner=model-files&rule=code-execution&path=model%2Fweights.pkl",
    "/models/text-hate-severity/waivers/1/end/",
    "/tasks/add/",
    "/taxonomies/",
    "/instance-types/",
    "/teams/",
    "/teams/1/",
)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible_fit_and_say_nothing(browser: Browser, portal: Portal, theme: str, width: int):
    faults: list[Any] = []
    for username, urls in (("", OPEN_PAGES), ("olivia", OWNER_PAGES), ("ada", ADMINISTRATOR_PAGES)):
        context = browser.new_context(
            base_url=portal.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            bypass_csp=True,  # axe itself is an inline script; the policy is watched in the other tests
        )
        page = context.new_page()
        messages = listen(page)
        if username:
            sign_in(page, username)
        for url in urls:
            page.goto(url)
            faults += [(url, fault) for fault in _faults(page)]
        faults += messages
        context.close()
    assert faults == []


@pytest.mark.parametrize("username", ["olivia", "ada"])
def test_pages_keep_the_strict_policy(page: Page, username: str):
    """`page` fails the test when the console says anything, as it does of every refused script or style."""
    sign_in(page, username)
    for url in OWNER_PAGES[:-1] if username == "olivia" else ADMINISTRATOR_PAGES:
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200


def test_an_open_menu_is_accessible_on_a_narrow_screen(browser: Browser, portal: Portal):
    context = browser.new_context(base_url=portal.url, viewport={"width": 390, "height": 900}, bypass_csp=True)
    page = context.new_page()
    sign_in(page, "ada")
    page.locator("summary", has_text="Menu").click()
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Tasks").wait_for()
    assert _faults(page) == []
    page.keyboard.press("Escape")
    page.locator("summary", has_text="ada").click()
    page.get_by_role("link", name="Teams").wait_for()
    assert _faults(page) == []
    context.close()


def _faults(page: Page) -> list[Any]:
    violations = Axe().run(page).response["violations"]
    found: list[Any] = [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in violations]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*found, f"the page is {overflow} px too wide"] if overflow > 0 else found
