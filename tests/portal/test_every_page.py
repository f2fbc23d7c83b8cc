"""What holds for every page: it renders, it asks for sign-in, its policy is strict, forms are guarded."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.urls.converters import UUIDConverter
from django.utils.html import escape

from mop.accounts.models import User
from mop.errors import CATALOGUE, MopError
from mop.notifications.models import Notification
from mop.registry.models import Model
from mop.ui.templatetags.mop_ui import marked
from support.browsing import client_of, send
from support.factories import PASSWORD, make_team

QUERIES_MAX = 12
# each area looks once for what a person owns; Analysis counts in as many ways as it shows
MORE_QUERIES = {"/account/": 13, "/analysis/": 20}
OWNER_PAGES = [
    "/models/",
    "/models/?status=all&sort=-name&search=tox&group=mine",
    "/home/",
    "/analysis/",
    "/live/home/",
    "/live/models/",
    "/groups/",
    "/groups/add/",
    "/delete-models/",
    "/people/?username=olivia",
    "/models/toxicity/description/",
    "/models/toxicity/tags/",
    "/models/toxicity/versions/v1.0.0/outdated/",
    "/add-model/",
    "/add-model/principal/?model_url=file:///nowhere",
    "/models/toxicity/",
    "/models/toxicity/?details=v1.0.0",
    "/live/models/toxicity/",
    "/models/toxicity/compare/",
    "/models/toxicity/upgrade/",
    "/models/toxicity/delete/",
    "/models/toxicity/versions/v1.0.0/",
    "/live/models/toxicity/versions/v1.0.0/",
    "/models/toxicity/versions/v1.0.0/note/",
    "/models/toxicity/versions/v1.0.0/delete/",
    "/models/toxicity/versions/v1.0.0/logs/build/",
    "/models/toxicity/versions/v1.0.0/logs/deployment/",
    "/models/toxicity/versions/v1.0.0/logs/build/download/",
    "/tasks/",
    "/account/",
    "/account/quotas/",
    "/account/tokens/",
    "/accounts/security/",
    "/accounts/password/change/",
    "/accounts/logout/",
]
ADMINISTRATOR_PAGES = [
    "/tasks/add/",
    "/taxonomies/",
    "/instance-types/",
    "/teams/",
    "/users/",
    "/users/invite/",
    "/audit/",
]
ASK_FOR_SIGN_IN = [
    "accounts",
    "catalog",
    "contract_runs",
    "datasets",
    "dsat",
    "evaluation",
    "findings",
    "gateway",
    "golden_sets",
    "insights",
    "loadtest",
    "onboarding",
    "registry",
    "regression",
    "releases",
    "sources",
    "trials",
]
OPEN_PAGES = ["/accounts/login/", "/accounts/password/reset/", "/errors/"]


@pytest.mark.dialect
@pytest.mark.parametrize("url", OWNER_PAGES)
def test_an_owner_gets_the_page_for_a_dozen_queries_at_most(url: str, owner: User, model: Model):
    Notification.objects.create(recipient=owner, event="x", kind="x", title="x", scope_type="model", scope_id=model.pk)
    client = client_of(owner)
    client.get(url)  # what a process asks once is not the page's
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    pages = 2 if "?details=" in url else 1  # a page and what another page shows
    assert len(queries) <= pages * MORE_QUERIES.get(url, QUERIES_MAX)


@pytest.mark.dialect
@pytest.mark.parametrize("url", ADMINISTRATOR_PAGES)
def test_an_administrator_gets_the_page_and_others_do_not(url: str, administrator: User, owner: User):
    assert client_of(administrator).get(url).status_code == 200
    refused = client_of(owner).get(url)
    assert refused.status_code == 403
    assert "You may not " in refused.content.decode()


@pytest.mark.parametrize("url", [*OWNER_PAGES, *ADMINISTRATOR_PAGES])
def test_who_is_not_signed_in_is_led_to_sign_in_and_back(url: str, db: None):
    response = Client().get(url)
    if url == "/accounts/logout/":
        assert response.headers["Location"] == "/"
        return
    assert response.status_code == 302
    assert response.headers["Location"].startswith(("/accounts/login/?next=%2F", "/accounts/login/?next=/"))


@pytest.mark.parametrize("url", OPEN_PAGES)
def test_open_pages_need_no_sign_in(url: str, db: None):
    assert Client().get(url).status_code == 200


@pytest.mark.parametrize("url", [*OWNER_PAGES[:-2], *OPEN_PAGES])
def test_pages_hold_no_inline_script_style_or_handler(url: str, owner: User, model: Model):
    client = client_of(owner) if url not in OPEN_PAGES else Client()
    response = client.get(url)
    if response.headers["Content-Type"].startswith("text/plain"):
        return
    html = response.content.decode()
    assert not re.search(
        r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*(?:\ssrc=|type=\"application/json\"))", html
    )
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "no-store" in response.headers["Cache-Control"]


def test_a_form_without_its_token_is_refused(owner: User, model: Model):
    response = client_of(owner).post("/models/toxicity/delete/")
    assert response.status_code == 403
    assert "The form has expired" in response.content.decode()
    assert Model.objects.filter(pk=model.pk).exists()


def test_an_unknown_address_is_a_page_that_says_so(owner: User):
    response = client_of(owner).get("/nowhere/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/models/toxicity/versions/v1.0.0/retry/", "/models/toxicity/versions/v1.0.0/"),
        ("/models/toxicity/versions/v1.0.0/cancel/", "/models/toxicity/versions/v1.0.0/"),
        ("/models/toxicity/versions/v1.0.0/rescan/", "/models/toxicity/versions/v1.0.0/"),
        ("/models/toxicity/owners/add/", "/models/toxicity/"),
        ("/models/toxicity/owners/add/?x=1", "/models/toxicity/"),
        ("/notifications/7/read/", "/notifications/"),
        ("/notifications/read/", "/notifications/"),
        ("/notifications/alerts/7/close/", "/notifications/"),
        ("/theme/", "/"),
    ],
)
def test_the_address_of_a_form_leads_to_the_page_it_belongs_to(address: str, page: str, owner: User, model: Model):
    client = client_of(owner)
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert client.head(address).status_code == 302
    assert client.get(page, follow=True).status_code == 200


def test_every_address_that_takes_only_forms_leads_to_a_page(administrator: User, model: Model):
    client = client_of(administrator)
    arguments = {"name": model.name, "version": "v1.0.0", "kind": "build", "draft": "d"}
    left = {}
    for area in ("ui", "accounts", "catalog", "registry", "findings", "loadtest", "notifications", "onboarding"):
        for pattern in get_resolver(f"mop.{area}.urls").url_patterns:
            wanted = pattern.pattern.converters
            others = {key: uuid.UUID(int=1) if isinstance(one, UUIDConverter) else 1 for key, one in wanted.items()}
            url = reverse(f"{area}:{pattern.name}", kwargs={key: arguments.get(key, others[key]) for key in wanted})
            left[url] = client.get(url).status_code
    assert len(left) > 40
    assert [url for url, status in left.items() if status == 405] == []


def test_a_fragment_of_a_form_address_is_no_page(owner: User, model: Model):
    answer = client_of(owner).get("/models/toxicity/owners/add/", headers={"HX-Request": "true"})
    assert answer.status_code == 405


def test_navigation_shows_administration_to_administrators_only(owner: User, administrator: User):
    assert "/teams/" not in client_of(owner).get("/models/").content.decode()
    assert "/teams/" in client_of(administrator).get("/models/").content.decode()


def test_every_link_of_the_navigation_leads_somewhere(administrator: User):
    client = client_of(administrator)
    html = client.get("/models/").content.decode()
    links = set(re.findall(r'href="(/[^"#?]*)"', html)) - {"/"}
    links = {link for link in links if not link.startswith("/static/")}
    assert {"/models/", "/tasks/", "/account/tokens/"} <= links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_theme_is_kept_and_leads_back_to_the_page(owner: User):
    client = client_of(owner)
    response = send(client, "/theme/", {"theme": "dark", "next": "/tasks/?search=x"}, form="/tasks/")
    assert response.headers["Location"] == "/tasks/?search=x"
    assert 'data-theme="dark"' in client.get("/tasks/").content.decode()


def test_the_theme_switch_leads_to_no_other_site(owner: User):
    response = send(client_of(owner), "/theme/", {"theme": "dark", "next": "https://evil.example/"}, form="/tasks/")
    assert response.headers["Location"] == "/"


def test_sign_in_leads_back(owner: User):
    client = Client()
    response = client.post("/accounts/login/?next=/tasks/", {"login": "olivia", "password": PASSWORD})
    assert response.headers["Location"] == "/tasks/"


def test_a_wrong_password_is_told_beside_the_form(owner: User):
    response = Client().post("/accounts/login/", {"login": "olivia", "password": "wrong"})
    assert "Some fields are not valid" in response.content.decode()


def test_a_fragment_asked_for_without_sign_in_sends_htmx_to_sign_in(db: None):
    response = Client().get(
        "/live/models/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/models/?status=all"}
    )
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2Fmodels%2F%3Fstatus%3Dall"


def test_a_failure_of_an_htmx_request_is_a_notice_and_not_a_page(owner: User):
    response = client_of(owner).get("/models/gone/", headers={"HX-Request": "true", "HX-Target": "panel"})
    assert response.status_code == 404
    assert response.headers["HX-Retarget"] == "#faults"
    assert "<html" not in response.content.decode()


def test_team_pages_say_when_there_is_no_such_team(administrator: User):
    make_team("moderation")
    assert client_of(administrator).get("/teams/4711/").status_code == 404


def test_the_catalogue_says_every_error_and_its_hint(db: None):
    html = Client().get("/errors/").content.decode()
    for name, error in CATALOGUE.items():
        if error.title != MopError.title:
            assert f'id="{name}"' in html
            assert escape(error.title) in html
            assert marked(error.default_hint) in html


def test_no_address_of_an_area_does_anything_for_who_is_not_signed_in(db: None):
    arguments = {"name": "x", "version": "v1", "kind": "build", "draft": "d", "dataset": "d", "service": "s"}
    answers = {}
    for area in ASK_FOR_SIGN_IN:
        for pattern in get_resolver(f"mop.{area}.urls").url_patterns:
            wanted = pattern.pattern.converters
            others = {key: uuid.UUID(int=1) if isinstance(one, UUIDConverter) else 1 for key, one in wanted.items()}
            url = reverse(f"{area}:{pattern.name}", kwargs={key: arguments.get(key, others[key]) for key in wanted})
            statuses = {Client().get(url).status_code, Client().post(url).status_code}
            answers[url] = statuses <= {302, 405} and 302 in statuses
    assert len(answers) > 30
    assert [url for url, is_guarded in answers.items() if not is_guarded] == []
