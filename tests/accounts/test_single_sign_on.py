"""Single sign-on in Chromium, with a real OpenID Connect provider on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from browser.browsing import launch
from mop.accounts.models import SignIn, User
from mop.accounts.token_services import authenticate_token
from mop.audit.models import AuditEvent
from mop.errors import NotAuthenticatedError
from support import npm
from support.factories import make_team, make_token, make_user
from support.oidc_provider import OidcProvider, running_oidc_provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OLIVIA = {
    "preferred_username": "olivia",
    "given_name": "Olivia",
    "family_name": "Jensen",
    "email": "olivia@example.com",
    "roles": ["mop.user", "mop.admin"],
    "groups": ["g-1"],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the thread of the test
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture(scope="module")
def running(live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """One provider for all tests: it knows a person by their browser's cookies alone, and each test has its own."""
    back = f"{live_server.url}/accounts/oidc/oidc/login/callback/"
    with running_oidc_provider(tmp_path_factory.mktemp("provider"), redirect_uri=back) as found:
        yield found


@pytest.fixture
def provider(browser: Browser, running: OidcProvider, live_server: LiveServer, settings: Any) -> OidcProvider:
    """The provider, MOP connected to it, and what it says of people as it was."""
    settings.MOP_OIDC_ISSUER = running.issuer
    settings.MOP_OIDC_CLIENT_ID = "mop"
    settings.MOP_OIDC_NAME = "Contoso"
    settings.MOP_OIDC_USER_ROLE = "mop.user"
    settings.MOP_OIDC_ADMINISTRATOR_ROLE = "mop.admin"
    settings.MOP_OIDC_TEAMS = {"g-1": "Moderation", "g-2": "Search"}
    app = {"provider_id": "oidc", "name": "Contoso", "client_id": "mop", "secret": "secret-of-mop"}
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [{**app, "settings": {"server_url": running.issuer}}],
        }
    }
    make_user("root", is_administrator=True)
    make_team("Moderation")
    make_team("Search")
    running.says({"s-olivia": OLIVIA})
    return running


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    found = browser.new_context(base_url=live_server.url)
    found.set_default_timeout(60_000)
    yield found
    found.close()


def sign_in(context: BrowserContext, subject: str) -> Page:
    """Sign in by the provider as a person whom it knows; gives the page that this leads to."""
    context.clear_cookies()
    page = context.new_page()
    page.goto("/accounts/login/?next=/notifications/")
    page.get_by_role("link", name="Sign in with Contoso").click()
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()  # lets MOP have the claims
    return page


def ids_of(action: str) -> list[str]:
    return list(AuditEvent.objects.filter(action=action).values_list("object_label", flat=True))


def test_claims_make_the_person_and_taken_ones_take_role_team_and_tokens(
    provider: OidcProvider, context: BrowserContext, live_server: LiveServer
):
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = sign_in(context, "s-olivia")
    page.wait_for_url("**/notifications/")
    question = next(url for url in asked if url.startswith(f"{provider.issuer}/auth?"))
    assert all(part in question for part in ("code_challenge_method=S256", "code_challenge=", "nonce=", "state="))

    user = User.objects.get(username="olivia")
    assert (user.get_full_name(), user.email) == ("Olivia Jensen", "olivia@example.com")
    assert user.is_administrator
    assert not user.has_usable_password()
    assert "Moderation" in user.teams.values_list("name", flat=True)
    assert SocialAccount.objects.get().uid == f"{provider.issuer} s-olivia"
    assert SignIn.objects.filter(user=user).count() == 1

    # the same person, whatever name and address the provider tells now; what it takes is taken
    secret = make_token(user)
    provider.says({"s-olivia": {**OLIVIA, "email": "new@example.com", "roles": ["mop.user"], "groups": ["g-2"]}})
    sign_in(context, "s-olivia").wait_for_url("**/notifications/")
    user.refresh_from_db()
    assert not user.is_administrator
    names = set(user.teams.values_list("name", flat=True))
    assert "Search" in names
    assert "Moderation" not in names
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)
    assert SignIn.objects.filter(user=user).count() == 1  # the session of before ended with the role

    # without the role that MOP asks for, nobody is let in, and the sessions of before end
    provider.says({"s-olivia": {**OLIVIA, "roles": []}})
    refused = sign_in(context, "s-olivia")
    expect(refused.get_by_role("heading", level=1)).to_contain_text("refused")
    expect(refused.locator("main")).to_contain_text("lacks the role mop.user")
    assert not SignIn.objects.filter(user=user).exists()


def test_two_accounts_with_one_address_stay_two_and_none_takes_a_local_one(
    provider: OidcProvider, context: BrowserContext
):
    local = make_user("olivia")
    User.objects.filter(pk=local.pk).update(email="olivia@example.com")
    provider.says({"s-olivia": OLIVIA, "s-other": {**OLIVIA, "roles": ["mop.user"]}})
    for subject in ("s-olivia", "s-other"):
        sign_in(context, subject).wait_for_url("**/notifications/")
    owners = {account.uid.rpartition(" ")[2]: account.user for account in SocialAccount.objects.all()}
    assert set(owners) == {"s-olivia", "s-other"}
    assert len({owners["s-olivia"].pk, owners["s-other"].pk, local.pk}) == 3
    assert not owners["s-other"].is_administrator


def test_the_last_administrator_stays_one(provider: OidcProvider, context: BrowserContext):
    sign_in(context, "s-olivia").wait_for_url("**/notifications/")
    User.objects.filter(username="root").update(is_superuser=False)
    User.objects.exclude(username="olivia").update(is_superuser=False)
    provider.says({"s-olivia": {**OLIVIA, "roles": ["mop.user"]}})
    sign_in(context, "s-olivia").wait_for_url("**/notifications/")
    assert User.objects.get(username="olivia").is_administrator
    assert ids_of("user.last_administrator_kept") == ["olivia"]


def test_a_forged_state_and_a_replay_let_nobody_in(
    provider: OidcProvider, context: BrowserContext, live_server: LiveServer
):
    page = context.new_page()
    forged = page.goto("/accounts/oidc/oidc/login/callback/?code=stolen&state=forged")
    assert forged is not None
    assert forged.status == 401
    expect(page.get_by_role("heading", level=1)).to_have_text("The sign-in failed")

    answers: list[str] = []
    context.on("request", lambda request: answers.append(request.url) if "/callback/?" in request.url else None)
    sign_in(context, "s-olivia").wait_for_url("**/notifications/")
    replayed = context.new_page().goto(answers[-1])
    assert replayed is not None
    assert replayed.status == 401
    fresh = context.browser.new_context(base_url=live_server.url)  # type: ignore[union-attr]
    elsewhere = fresh.new_page().goto(answers[-1])
    assert elsewhere is not None
    assert elsewhere.status == 401
    assert not fresh.new_page().goto("/notifications/").url.endswith("/notifications/")  # type: ignore[union-attr]
    fresh.close()

    refusals: list[Any] = ids_of("user.sign_in_refused")
    assert len(refusals) == 3


def test_an_answer_with_another_nonce_lets_nobody_in(provider: OidcProvider, context: BrowserContext):
    """The question that the browser carries to the provider names another nonce than the session has."""
    assert provider.issuer
    begun = context.request.get("/accounts/oidc/oidc/login/", max_redirects=0)
    question = begun.headers["location"]
    assert "nonce=" in question
    page = context.new_page()
    page.goto(re.sub(r"nonce=[^&]+", "nonce=another", question))
    page.locator("input[name=login]").fill("s-olivia")
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("does not belong to the sign-in that this browser began")
    assert not SignIn.objects.exists()
    assert len(ids_of("user.sign_in_refused")) == 1


def test_a_provider_that_is_gone_is_said(provider: OidcProvider, context: BrowserContext, settings: Any):
    nowhere = f"http://127.0.0.1:{npm.free_port()}"
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = nowhere
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Sign in with Contoso").click()
    expect(page.locator("main")).to_contain_text("Contoso cannot be reached")
