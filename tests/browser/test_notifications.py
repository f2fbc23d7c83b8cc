"""The bell and the list, by keyboard, without scripts, and while something happens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from support.waiting import wait_for

from .browsing import Portal, sign_in

pytestmark = pytest.mark.browser


def unread(page: Page) -> int:
    """The number that the bell says."""
    found = re.search(r"(\d+) unread", page.locator("#bell").inner_text())
    return int(found[1]) if found else 0


def test_following_a_notification_by_keyboard_marks_it_as_read(page: Page):
    sign_in(page, "olivia")
    before = unread(page)
    page.locator("#bell").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notifications/?show=unread")
    link = page.get_by_role("heading", level=2).get_by_role("link").first
    link.focus()
    # the page moves on at once, so its script may not see the answer any more
    with page.expect_request(lambda asked: asked.method == "POST" and "/read/" in asked.url):
        page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/(models|datasets|releases)/.+"))

    def marked() -> bool:
        page.goto("/notifications/")
        return unread(page) == before - 1

    wait_for(marked, seconds=20, what="the notification is read")


def test_a_notification_is_read_without_scripts(browser: Browser, portal: Portal):
    context = browser.new_context(base_url=portal.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "olivia")
    page.goto("/notifications/")
    before = unread(page)
    note = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Mark as read")).last
    title = note.get_by_role("link").inner_text()
    note.get_by_role("button", name="Mark as read").click()
    page.wait_for_url(re.compile(r"/notifications/#notification-\d+$"))
    assert unread(page) == before - 1
    expect(page.locator(":target")).to_contain_text(title)
    expect(page.locator(":target").get_by_role("button")).to_have_count(0)
    context.close()


def test_the_bell_says_aloud_what_comes_while_one_looks(page: Page, browser: Browser, portal: Portal):
    page.clock.install()
    sign_in(page, "sam")
    before = unread(page)
    other = browser.new_context(base_url=portal.url)
    administrator = other.new_page()
    sign_in(administrator, "ada")
    administrator.goto("/models/cut-off/")
    administrator.get_by_label("User name").fill("sam")
    administrator.get_by_role("button", name="Add owner").click()
    administrator.get_by_role("link", name="Remove… sam").wait_for()
    other.close()
    page.locator("#bell").focus()
    page.clock.fast_forward(25_000)
    expect(page.locator("#announcer")).to_have_text(re.compile(rf"^{before + 1} unread notification"))
    expect(page.locator("#bell")).to_contain_text(f"{before + 1} unread")
    expect(page.locator("#bell")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="You are now an owner of cut-off")).to_be_visible()


def test_the_bell_stays_while_the_server_fails(browser: Browser, portal: Portal):
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    page.clock.install()
    sign_in(page, "olivia")
    page.route("**/live/notifications/", lambda route: route.fulfill(status=500, body="<h1>Failed</h1>"))
    for _ in range(2):
        with page.expect_response("**/live/notifications/"):
            page.clock.fast_forward(25_000)
    expect(page.locator("#bell")).to_be_visible()
    expect(page.get_by_role("heading", name="Failed")).to_have_count(0)
    context.close()


def test_settings_are_kept_by_keyboard(page: Page):
    sign_in(page, "sam")
    page.goto("/notifications/settings/")
    page.get_by_label("E-mail address").fill("sam@")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("E-mail address").fill("sam@example.org")
    box = page.get_by_role("checkbox", name="By e-mail: A version of my models is verified")
    box.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Your notification settings are saved.")).to_be_visible()
    expect(box).not_to_be_checked()
