"""Headers of every answer: each address of the permission table in two roles, static files, refusals, faults."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path

from mop.accounts.models import User
from mop.registry.models import Model
from support.browsing import Session
from support.factories import make_model, make_task, make_user
from support.permission_table import api_rows, page_rows

pytestmark = pytest.mark.django_db

# ARCHITECTURE's policy, and base-uri, which default-src does not cover
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
ADDRESSES = sorted({row.path for row in page_rows()} | {f"/api/v1{row.path}" for row in api_rows()})


def bug(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug of a view")


urlpatterns = [path("bug/", bug), path("", include("mop.conf.urls"))]


def assert_guarded(answer: HttpResponse, *, cached: bool = False) -> None:
    headers = answer.headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    refused = set(headers["Permissions-Policy"].split(", "))
    assert {"camera=()", "microphone=()", "geolocation=()"} <= refused
    assert "publickey-credentials-get=()" not in refused  # passkeys need it
    assert ("no-store" in headers["Cache-Control"]) is not cached
    assert "Strict-Transport-Security" not in headers  # this installation is no https one
    assert "Access-Control-Allow-Origin" not in headers


@pytest.fixture(scope="module")
def owner(kept_for_the_file: None) -> User:
    return make_user("olivia")


@pytest.fixture(scope="module")
def sessions(owner: User) -> tuple[Session, Session]:
    """Nobody's and the owner's."""
    return Session(), Session(owner)


@pytest.fixture(scope="module")
def model(owner: User) -> Model:
    return make_model("toxicity", owner=owner, tasks=(make_task("hate"),), version="v1.0.0")


def fill(address: str, model: Model) -> str:
    names = {"name": model.name, "version": "v1.0.0", "kind": "build", "app_label": "accounts", "url": "nowhere"}
    if "/tasks/" in address:
        names["name"] = "hate"
    return re.sub(r"\{(\w+)\}|<(?:\w+:)?(\w+)>", lambda found: names.get(found[1] or found[2], "1"), address)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_permission_table_is_guarded(
    address: str, model: Model, sessions: tuple[Session, Session]
):
    url = fill(address, model)
    for session in sessions:
        client = session.client()
        for method in ("GET", "POST", "DELETE"):
            assert_guarded(client.generic(method, url))


def test_a_fragment_a_download_and_a_log_are_guarded(model: Model, owner: User):
    client = Client()
    client.force_login(owner)
    assert_guarded(client.get("/live/models/", headers={"HX-Request": "true"}))
    log = client.get("/models/toxicity/versions/v1.0.0/logs/build/download/")
    assert log.status_code == 200
    assert log.headers["Content-Disposition"].startswith("attachment")
    assert_guarded(log)


@pytest.mark.parametrize("url", ["/static/mop/css/base.css", "/static/mop/js/theme.js", "/static/mop/favicon.svg"])
def test_static_files_are_guarded_and_may_be_cached(url: str):
    answer = Client().get(url)
    assert answer.status_code == 200
    assert_guarded(answer, cached=True)


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        ("/nowhere/", {}, 404),
        ("/static/nowhere.css", {}, 404),
        ("/models/", {"Host": "evil.example"}, 400),
        ("/api/v1/me", {"Host": "evil.example"}, 400),
        ("/api/v1/me", {"Authorization": "Bearer wrong"}, 401),
        ("/api/v1/models?cursor=%00", {}, 400),
    ],
)
def test_refusals_are_guarded(url: str, headers: dict[str, str], status: int):
    answer = Client().get(url, headers=headers)
    assert answer.status_code == status
    assert_guarded(answer)


@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_of_mop_is_guarded_and_shows_nothing_of_it():
    answer = Client(raise_request_exception=False).get("/bug/")
    assert answer.status_code == 500
    assert_guarded(answer)
    assert "RuntimeError" not in answer.content.decode()


@override_settings(SECURE_HSTS_SECONDS=31_536_000)
@pytest.mark.parametrize("url", ["/accounts/login/", "/static/mop/css/base.css", "/api/v1/me", "/nowhere/"])
def test_an_https_installation_says_that_it_is_one(url: str):
    assert Client().get(url).headers["Strict-Transport-Security"] == "max-age=31536000"
