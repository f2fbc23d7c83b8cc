"""The Models list in a real browser: publish, group, share and delete, by mouse and by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from .browsing import Portal, sign_in

pytestmark = pytest.mark.browser


def test_a_selection_becomes_a_group_that_is_shared_and_deleted(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/?status=all&sort=name")
    bar = page.get_by_role("form", name="Selected models")
    expect(bar).to_be_hidden()
    page.get_by_label("Select text-hate-severity").check()
    page.get_by_label("Select broken-model").check()
    expect(bar).to_contain_text("2 selected")
    bar.get_by_text("Add to group").click()
    bar.get_by_role("button", name="New group…").click()
    page.get_by_label("Name").fill("Night shift")
    page.get_by_role("button", name="Create group").click()
    page.wait_for_url("**/models/?group=*")
    expect(page.get_by_role("table", name="Models")).to_contain_text("text-hate-severity")
    expect(page.get_by_role("main")).to_contain_text("1 more failed")
    page.locator("#group-menu > summary").click()
    page.get_by_label("Manage group Night shift").click()
    page.get_by_role("link", name="Share with people or a team").click()
    page.get_by_label("User name").press_sequentially("st")
    expect(page.locator("datalist option[value=stella]")).to_have_count(1)
    page.get_by_label("User name").fill("stella")
    page.get_by_role("button", name="Share group").click()
    expect(page.get_by_role("rowheader", name="stella")).to_be_visible()
    page.goto("/groups/")
    page.get_by_role("link", name="Delete… Night shift").click()
    expect(page.get_by_role("main")).to_contain_text("The models of the group stay.")
    page.get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("main")).to_contain_text("The group Night shift is deleted")


def test_a_version_is_published_and_made_private_by_keyboard(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/text-hate-severity/")
    switch = page.get_by_role("button", name="change who sees v1.0.2")
    switch.focus()
    page.keyboard.press("Enter")
    note = page.get_by_role("dialog")
    expect(note).to_contain_text("Everybody who is signed in will see")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(switch).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Make public")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("v1.0.2 is public")
    switch.press("Enter")
    page.get_by_role("button", name="Make private").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("v1.0.2 is private")


def test_the_breadcrumb_leads_back_to_the_view_and_a_deletion_to_its_own(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/?sort=name")
    page.get_by_label("Status").select_option("all")
    page.wait_for_url("**/models/?*status=all*")
    page.get_by_role("link", name="broken-model", exact=True).press("Enter")
    crumb = page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Models")
    crumb.press("Enter")
    page.wait_for_url("**/models/?*status=all*")
    box = page.get_by_label("Select broken-model")
    box.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Delete…").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Delete broken-model?")
    page.get_by_role("link", name="Keep it").press("Enter")
    page.wait_for_url("**/models/?*status=all*")


def test_the_list_works_without_scripts_and_on_a_phone(browser: Browser, portal: Portal):
    context = browser.new_context(
        base_url=portal.url, java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    sign_in(page, "olivia")
    page.get_by_label("Status").select_option("all")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("Select broken-model").check()
    expect(page.get_by_role("button", name="Delete…")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
