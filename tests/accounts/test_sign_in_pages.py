"""Sign-in pages: only those that MOP links or a sign-in leads through; the rest of allauth answers 404."""

from __future__ import annotations

import re

import pytest
from allauth.account.urls import urlpatterns as allauth_patterns
from django.test import Client
from django.urls import NoReverseMatch, reverse

from mop.accounts import sign_in_urls
from mop.accounts.adapter import ClosedSignupAdapter
from mop.accounts.models import User
from support.browsing import client_of, send
from support.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

KEPT = {pattern.name for pattern in sign_in_urls.urlpatterns}
DROPPED = {
    str(pattern.pattern).removeprefix("^").removesuffix("$") for pattern in allauth_patterns if pattern.name not in KEPT
}


def sign_in(username: str, password: str = PASSWORD) -> tuple[Client, str]:
    """A browser that sent the form of the sign-in page, and where it was led."""
    client = Client(enforce_csrf_checks=True)
    answer = send(client, "/accounts/login/", {"login": username, "password": password})
    return client, answer.headers.get("Location", "")


# a browser is led there: by a link that somebody was given, by the provider, by a script or by allauth itself
LED_TO = {
    *("invitation", "account_reset_password_from_key", "openid_connect_login", "openid_connect_callback"),
    *("socialaccount_login_cancelled", "account_reauthenticate", "mfa_authenticate", "mfa_reauthenticate"),
    *("mfa_reauthenticate_webauthn", "mfa_list_webauthn", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
    *("mfa_generate_recovery_codes", "mfa_remove_webauthn"),
}


def test_every_kept_address_is_linked_or_led_to():
    user = make_user("olivia")
    signed_in = client_of(user)
    pages = (signed_in.get("/models/"), signed_in.get("/accounts/security/"), Client().get("/accounts/login/"))
    linked = {
        found for page in pages for found in re.findall(r'(?:href|action)="(/accounts/[^"?]*)"', page.content.decode())
    }
    led_to = {Client().get("/models/").headers["Location"].split("?")[0]}
    User.objects.filter(pk=user.pk).update(is_active=False)
    led_to.add(sign_in("olivia")[1])
    assert linked | led_to == {reverse(name) for name in KEPT - LED_TO}


@pytest.mark.parametrize("path", sorted(DROPPED))
def test_what_mop_does_not_offer_is_not_there_for_anyone(path: str):
    address = "/accounts/" + re.sub(r"\(\?P<\w+>[^)]*\)", "1", path)
    people = (Client(), client_of(make_user("olivia")), client_of(make_user("ada", is_administrator=True)))
    assert [client.get(address).status_code for client in people] == [404, 404, 404]
    token = people[1].get("/models/").wsgi_request.META["CSRF_COOKIE"]
    assert people[1].post(address, headers={"X-CSRFToken": token}).status_code == 404


def test_the_list_of_what_is_dropped_holds_the_pages_of_mail_and_sign_up():
    assert {"signup/", "email/", "password/set/"} <= DROPPED
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


def test_the_root_of_the_sign_in_pages_leads_nowhere():
    assert Client().get("/accounts/").status_code == 404


def test_signing_in_changing_the_password_and_signing_out():
    make_user("olivia")
    client, leads_to = sign_in("olivia")
    assert leads_to == "/"
    new = "another horse battery staple"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    answer = send(client, "/accounts/password/change/", form)
    assert answer.headers["Location"] == "/accounts/password/change/"
    assert client.get("/models/").status_code == 200  # the session stands
    assert send(client, "/accounts/logout/").headers["Location"] == "/"
    assert client.get("/models/").status_code == 302
    assert sign_in("olivia")[1] == ""
    assert sign_in("olivia", new)[1] == "/"


def test_who_has_no_password_here_is_offered_no_change_of_it():
    user = make_user("olivia")
    user.set_unusable_password()
    user.save()
    client = client_of(user)
    assert "Change password" not in client.get("/models/").content.decode()
    refused = client.get("/accounts/password/change/")
    assert refused.status_code == 403
    assert "has none here" in refused.content.decode()


def test_an_account_that_is_kept_out_is_told_so():
    user = make_user("olivia")
    User.objects.filter(pk=user.pk).update(is_active=False)
    client, leads_to = sign_in("olivia")
    assert "This account is disabled" in client.get(leads_to).content.decode()
    assert client.get("/models/").status_code == 302


def test_a_later_sign_in_by_a_provider_makes_no_accounts_by_itself():
    assert not ClosedSignupAdapter().is_open_for_signup(Client().get("/accounts/login/").wsgi_request)
