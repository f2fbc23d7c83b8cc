"""Sessions: their cookies, how they begin and end, and what other sites can do with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client, override_settings

from mop.accounts.models import User
from mop.accounts.services import change_access
from mop.accounts.session_lifetime import BEGAN, SEEN
from support.browsing import client_of, send
from support.factories import ACTOR, PASSWORD, make_user

pytestmark = pytest.mark.django_db

HOUR = 3600.0
READ = (
    "import json, sys; from mop.conf import settings; "
    "print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}))"
)


def settings_with(tmp_path: Path, *names: str, **options: str) -> dict[str, Any]:
    """Settings of an installation that is configured so."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    environment |= {"MOP_HOME": str(tmp_path), **options}
    return json.loads(subprocess.check_output([sys.executable, "-c", READ, *names], env=environment))


@pytest.fixture
def olivia() -> User:
    return make_user("olivia")


def is_signed_in(client: Client) -> bool:
    return client.get("/models/").status_code == 200


def age(client: Client, **hours: float) -> None:
    """Make the browser's session older."""
    session = client.session
    for key, amount in hours.items():
        session[f"mop_{key}"] = time.time() - amount * HOUR
    session.save()


def test_behind_https_cookies_are_bound_to_the_host(tmp_path: Path):
    names = ("SESSION_COOKIE", "CSRF_COOKIE")
    keys = [f"{name}_{part}" for name in names for part in ("NAME", "SECURE", "SAMESITE")]
    found = settings_with(tmp_path, *keys, "CSRF_TRUSTED_ORIGINS", MOP_PUBLIC_URL="https://mop.example.com:8443/")
    assert found == {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_TRUSTED_ORIGINS": ["https://mop.example.com:8443"],
    }


def test_without_https_cookies_work_on_this_machine(tmp_path: Path):
    found = settings_with(tmp_path, "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS")
    assert found == {"SESSION_COOKIE_NAME": "sessionid", "SESSION_COOKIE_SECURE": False, "CSRF_TRUSTED_ORIGINS": []}


def test_debug_is_off_unless_asked_for(tmp_path: Path):
    assert settings_with(tmp_path, "DEBUG") == {"DEBUG": False}


@pytest.mark.parametrize(
    "url",
    ["mop.example.com", "ftp://mop.example.com", "https://", "https://user:pw@x", "https://x:port", "https://x?y"],
)
def test_a_public_url_that_is_none_is_refused(url: str, tmp_path: Path):
    environment = {**os.environ, "MOP_HOME": str(tmp_path), "MOP_PUBLIC_URL": url}
    done = subprocess.run(
        [sys.executable, "-c", READ], env=environment, capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 1
    assert done.stderr.startswith("MOP_PUBLIC_URL: write https://host")


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(olivia: User):
    client = Client()
    client.post("/accounts/login/", {"login": "olivia", "password": PASSWORD})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


def test_signing_in_begins_the_time_anew(olivia: User):
    client = client_of(olivia)
    age(client, began=100, seen=100)
    client.force_login(olivia)
    assert is_signed_in(client)
    assert time.time() - client.session[BEGAN] < HOUR


def test_signing_in_begins_a_new_session(olivia: User):
    client = Client()
    planted = client.session
    planted["planted"] = "by somebody else"
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    client.post("/accounts/login/", {"login": "olivia", "password": PASSWORD})
    assert is_signed_in(client)
    assert client.session.session_key != planted.session_key
    other = Client()
    other.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    assert not is_signed_in(other)


def test_an_idle_session_ends(olivia: User):
    client = client_of(olivia)
    assert is_signed_in(client)
    age(client, seen=settings.MOP_SESSION_IDLE_SECONDS / HOUR + 0.1)
    assert not is_signed_in(client)
    assert SESSION_KEY not in client.session


def test_a_session_in_use_goes_on_and_ends_all_the_same(olivia: User):
    client = client_of(olivia)
    assert is_signed_in(client)
    age(client, seen=1)
    assert is_signed_in(client)
    assert time.time() - client.session[SEEN] < HOUR / 2
    age(client, began=settings.MOP_SESSION_MAX_SECONDS / HOUR + 0.1)
    assert not is_signed_in(client)


def test_an_open_page_that_asks_by_itself_keeps_no_session(olivia: User):
    client = client_of(olivia)
    assert is_signed_in(client)
    age(client, seen=1)
    assert client.get("/live/models/").status_code == 200
    assert time.time() - client.session[SEEN] > HOUR / 2


def test_a_session_that_is_in_use_costs_no_write_for_each_page(olivia: User):
    client = client_of(olivia)
    assert is_signed_in(client)
    before = (client.session[BEGAN], client.session[SEEN])
    assert is_signed_in(client)
    assert (client.session[BEGAN], client.session[SEEN]) == before


def test_a_new_password_ends_every_other_session(olivia: User):
    here, there = client_of(olivia), client_of(olivia)
    assert is_signed_in(there)
    before = here.session.session_key
    new = "another horse battery staple"
    send(here, "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_signed_in(here)
    assert here.session.session_key != before
    assert not is_signed_in(there)


def test_an_account_that_is_switched_off_is_out_at_once(olivia: User):
    client = client_of(olivia)
    assert is_signed_in(client)
    make_user("ada", is_administrator=True)
    change_access(actor=ACTOR, user=olivia, is_active=False, is_administrator=False)
    assert not is_signed_in(client)
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_api_takes_no_session_from_pages_of_other_sites(site: str, method: str, olivia: User):
    client = Client()
    client.force_login(olivia)
    refused = client.generic(method, "/api/v1/models", "{}", "application/json", headers={"Sec-Fetch-Site": site})
    assert (refused.status_code, refused.json()["name"]) == (403, "NotAllowedError")
    assert client.get("/api/v1/models", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@override_settings(CSRF_TRUSTED_ORIGINS=["https://mop.example.com"], ALLOWED_HOSTS=["mop.example.com"])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://mop.example.com", 302),
        ("https://evil.example", 403),
        ("https://mop.example.com.evil.example", 403),
        ("http://other.example.com", 403),
        ("null", 403),
    ],
)
def test_a_form_is_taken_from_the_public_address_alone(origin: str, status: int, olivia: User):
    client = client_of(olivia)
    host = {"Host": "mop.example.com"}
    client.get("/tasks/", headers=host)
    token = client.cookies["csrftoken"].value
    form = {"theme": "dark", "next": "/", "csrfmiddlewaretoken": token}
    assert client.post("/theme/", form, headers={**host, "Origin": origin}).status_code == status
