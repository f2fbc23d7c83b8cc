"""What people do in the portal, in a real browser against a real server."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from .browsing import Portal, sign_in

pytestmark = pytest.mark.browser


def test_a_model_is_added_in_two_steps(page: Page, portal: Portal):
    (portal.models / "new").mkdir(exist_ok=True)
    (portal.models / "new" / "inference.py").touch()
    sign_in(page, "olivia")
    page.get_by_role("link", name="Add a model").click()
    page.get_by_role("button", name="Next: Connect tasks").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Model url: Fill this in.")
    expect(summary).to_be_focused()
    page.get_by_label("Model url").fill("file:///etc/passwd")
    expect(page.locator("#principal")).to_contain_text("is not under an allowed root")
    page.get_by_label("Model url").fill((portal.models / "new").as_uri())
    expect(page.locator("#principal")).to_contain_text("MOP reads this as")
    page.get_by_label("Model name").fill("by-hand")
    page.get_by_role("button", name="Next: Connect tasks").click()
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_role("alert")).to_contain_text("Connect at least one task.")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Model name")).to_have_value("by-hand")
    page.get_by_role("button", name="Next: Connect tasks").click()
    page.get_by_label("Task of Hate").select_option(index=1)
    page.get_by_role("button", name="Add model").click()
    page.wait_for_url("**/models/by-hand/?details=v1.0.0")
    expect(page.get_by_role("complementary")).to_contain_text(
        re.compile(r"v1\.0\.0 waits for a Standard_F4s_v2 host: place \d+ of \d+ in the queue")
    )
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("complementary")).to_contain_text("cancelled by olivia")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("complementary")).to_contain_text("Status timeline, attempt 2")


def test_a_model_is_added_without_scripts(browser: Browser, portal: Portal):
    (portal.models / "plain").mkdir(exist_ok=True)
    (portal.models / "plain" / "inference.py").touch()
    context = browser.new_context(base_url=portal.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "olivia")
    page.goto("/add-model/")
    page.get_by_label("Model name").fill("without-scripts")
    page.get_by_label("Model url").fill((portal.models / "plain").as_uri())
    page.get_by_role("button", name="Next: Connect tasks").click()
    page.get_by_label("Task of Violence").select_option(index=1)
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_role("complementary")).to_contain_text("waits for a Standard_F4s_v2 host")
    page.get_by_role("link", name="Close panel").click()
    page.locator("summary", has_text="More actions for without-scripts").click()
    page.get_by_role("link", name="Delete model…").click()
    expect(page.get_by_role("main")).to_contain_text("version v1.0.0 (created)")
    page.get_by_role("button", name="Delete model").click()
    expect(page.get_by_role("status").filter(has_text="without-scripts is deleted.")).to_be_visible()
    context.close()


def test_details_open_beside_the_history_and_the_address_follows(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/text-hate-severity/")
    page.get_by_role("link", name="Details of v1.0.1").click()
    panel = page.get_by_role("complementary")
    expect(panel.get_by_role("heading", name="Details of v1.0.1")).to_be_focused()
    expect(panel).to_contain_text("OrdinalTaskLabelValueError")
    assert page.url.endswith("/models/text-hate-severity/?details=v1.0.1")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("link", name="Details of v1.0.1")).to_be_focused()
    assert page.url.endswith("/models/text-hate-severity/")


def test_what_comes_late_shows_where_it_will_stand(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/text-hate-severity/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("load-test=v1.0.0"), hold)
    panel = page.locator("#panel")
    page.get_by_role("link", name=re.compile("details of the load test of v1.0.0")).click()
    for after in ("Compare with", "Against v1.0.2"):
        expect(panel.locator(".bone").first).to_be_visible()
        held.pop().continue_()
        expect(panel).to_contain_text(after)
        expect(panel.locator(".bone")).to_have_count(0)
        if after == "Compare with":
            panel.get_by_label("v1.0.2").check()
            panel.get_by_role("button", name="Compare").click()


def test_a_filter_narrows_the_list_and_the_address_reproduces_it(page: Page):
    sign_in(page, "olivia")
    expect(page.get_by_role("link", name="broken-model")).to_have_count(0)
    page.get_by_label("Status").select_option("verifyFailed")
    expect(page.get_by_role("link", name="broken-model", exact=True)).to_be_visible()
    page.wait_for_url("**/models/?*status=verifyFailed*")
    page.reload()
    expect(page.get_by_role("link", name="broken-model", exact=True)).to_be_visible()
    expect(page.get_by_label("Status")).to_have_value("verifyFailed")
    page.go_back()
    expect(page.get_by_role("link", name="text-hate-severity", exact=True)).to_be_visible()


def test_a_live_part_that_did_not_change_is_answered_304_and_stays(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/image-violence/?details=v1.0.0")
    page.locator("#details-live").evaluate("element => { element.dataset.seen = 'yes' }")
    with page.expect_response(
        lambda answer: answer.url.endswith("/live/models/image-violence/versions/v1.0.0/")
    ) as asked:
        pass
    assert asked.value.status == 304
    expect(page.locator("#details-live")).to_have_attribute("data-seen", "yes")


def test_the_theme_switches_and_stays(page: Page):
    sign_in(page, "olivia")
    html = page.locator("html")
    page.get_by_role("button", name="Theme: auto. Switch to light").click()
    expect(html).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Theme: light. Switch to dark").click()
    page.goto("/tasks/")
    expect(html).to_have_attribute("data-theme", "dark")


def test_a_token_is_shown_once_and_copied(browser: Browser, portal: Portal):
    context = browser.new_context(base_url=portal.url, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    sign_in(page, "sam")
    page.goto("/account/tokens/")
    page.get_by_label("Name").fill("build server")
    page.get_by_label("Models", exact=True).select_option("Read")
    page.get_by_role("button", name="Create token").click()
    secret = page.locator(".secret code").inner_text()
    assert secret.startswith("mop_")
    page.get_by_role("button", name="Copy the token").click()
    expect(page.locator("#announcer")).to_have_text("The token copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.goto("/account/tokens/")
    expect(page.get_by_role("main")).not_to_contain_text(secret)
    page.get_by_role("link", name="Revoke build server").click()
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_role("row", name="build server")).to_contain_text("revoked")
    context.close()


def test_a_line_of_the_log_has_its_address(page: Page):
    sign_in(page, "olivia")
    page.goto("/models/text-hate-severity/versions/v1.0.0/logs/deployment/")
    page.get_by_role("link", name="Previous").click()
    page.get_by_role("link", name="Line 700").click()
    page.wait_for_url("**?after=699#L700")
    expect(page.locator("#L700")).to_be_in_viewport()
    page.get_by_label("Search in the log").fill("PACKAGE 70")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark").first).to_have_text("package 70")


def test_a_stranger_sees_no_private_model(page: Page):
    sign_in(page, "stella")
    page.goto("/models/")
    expect(page.get_by_role("main")).to_contain_text("measured-model")  # public
    expect(page.get_by_role("table", name="Models").get_by_role("rowheader")).to_have_count(1)


def test_no_page_answers_with_a_fault_of_ours(page: Page, portal: Portal):
    """Follow every link of the portal that an administrator meets; each leads to a page.

    Of links to one page with the same query parameters the first stands for all. No script runs, so no browser asks.
    """
    sign_in(page, "ada")
    session = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    asking = httpx.Client(base_url=portal.url, cookies=session, follow_redirects=True, timeout=30, trust_env=False)
    seen: dict[str, int] = {}
    kinds = set()
    waiting = ["/models/?status=all"]
    while waiting:
        url = waiting.pop()
        answer = asking.get(url)
        seen[url] = answer.status_code
        if "text/html" not in answer.headers["content-type"] or url.startswith("/models/by-hand"):
            continue
        found = {link.partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', answer.text)}
        for link in sorted(found):
            split = urlsplit(html.unescape(link))
            kind = (split.path, tuple(sorted(parse_qs(split.query, keep_blank_values=True))))
            if link and kind not in kinds and not link.startswith("/static/"):
                kinds.add(kind)
                waiting.append(html.unescape(link))
    asking.close()
    refused = {url: status for url, status in seen.items() if status != 200}
    assert refused == {}
    assert len(seen) > 30
