"""TOTP with recovery codes, and passkeys, in Chromium with a virtual authenticator."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from browser.browsing import launch
from mop.accounts.second_factors import remove_second_factors
from mop.audit.models import AuditEvent
from support.factories import ACTOR, PASSWORD, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the thread of the test
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def enter_password(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/accounts/security/")
    page.get_by_label("Username").fill("olivia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page) -> None:
    """Whoever changes how they sign in enters the password once more."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_a_code_is_asked_for_and_a_recovery_code_works_once(page: Page):
    user = make_user("olivia")
    enter_password(page)
    page.get_by_role("link", name="Set up an authenticator app").click()
    confirm(page)
    page.locator("input[name=code]").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("main")).to_contain_text("Incorrect code", timeout=30_000)
    page.locator("input[name=code]").fill(code_of(page.locator(".secret code").inner_text()))
    secret = page.locator(".secret code").inner_text()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    codes = page.locator(".secret code").inner_text().split()
    assert len(codes) == 10
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert not any(code in stored for code in codes)

    enter_password(page)
    page.wait_for_url("**/2fa/authenticate/")
    page.goto("/accounts/security/")
    expect(page).to_have_url(re.compile("/accounts/2fa/authenticate/"))  # the password alone opens nothing
    for code, is_right in (("111111", False), (codes[0], True)):
        enter_password(page)
        page.locator("input[name=code]").fill(code)
        page.get_by_role("button", name="Sign in").click()
        if is_right:
            page.wait_for_url("**/accounts/security/")
        else:
            expect(page.locator("main")).to_contain_text("Incorrect code")
    enter_password(page)
    page.locator("input[name=code]").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("Incorrect code")

    assert remove_second_factors(actor=ACTOR, user=user) == 2
    enter_password(page)
    page.wait_for_url("**/accounts/security/")
    assert AuditEvent.objects.filter(action="user.second_factor_changed").count() >= 2


def test_a_passkey_signs_in_without_a_password(page: Page):
    make_user("olivia")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    enter_password(page)
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page)
    expect(page.get_by_label("Name")).to_have_value("Passkey 1")
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("Sign in with it alone, without a password").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
    page.goto("/accounts/security/")
    expect(page.locator("main")).to_contain_text("laptop")

    # with the password, it is the second factor
    enter_password(page)
    page.wait_for_url("**/2fa/authenticate/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/accounts/security/")

    # one that is removed signs in no more
    page.get_by_role("link", name="Remove laptop").click()
    confirm(page)
    page.get_by_role("button", name="Remove").click()
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert not Authenticator.objects.filter(type="webauthn").exists()
