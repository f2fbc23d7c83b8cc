"""Every address of API and portal, in every role. The table stands in tests/support/permission_table.py."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from mop.accounts.models import PersonalAccessToken, Team, User
from mop.api.api import api
from mop.catalog.models import Task
from mop.errors import DiskFullError
from mop.findings.models import Waiver
from mop.findings.waivers import create_waiver
from mop.notifications.alerts import raise_alert
from mop.notifications.kinds import Kind
from mop.notifications.models import Alert, Notification
from mop.notifications.services import News, notify
from mop.registry.models import Model, Revision
from mop.registry.services import add_owner, create_revision
from support.api import Api
from support.factories import (
    ACTOR,
    make_model,
    make_revision_input,
    make_task,
    make_team,
    make_token,
    make_user,
    publish,
)
from support.load_tests import enabled
from support.permission_table import API, DOCUMENT, PAGES, ROLES, Row, read, render
from support.scans import DIGEST, EVERY_ACTION, keep_scan

pytestmark = pytest.mark.dialect

SIGN_IN = ("/accounts/login/", "/admin/login/")
METHODS = ("GET", "POST")
MODELS = ("private", "public")
WAIVED = {"scanner": "model-files", "rule": "code-execution", "path": "model/weights.pkl", "reason": "It is ours."}


@dataclasses.dataclass(frozen=True)
class World:
    """Two models of one owner, and somebody in each role."""

    people: dict[str, User | None]
    tokens: dict[str, str]
    team: Team
    task: Task

    def fill(self, path: str, row: Row) -> str:
        """The address with this world's names."""
        names: dict[str, object] = {
            "name": self.task.name if path.startswith("/tasks/") else row.object,
            "version": _version_for(path, row.method),
            "kind": "json" if "/findings/" in path or "/load-test/" in path else "build",
            "username": "coowner",
            "token_id": PersonalAccessToken.objects.get(name="own").pk,
            "task_id": self.task.pk,
            "team_id": self.team.pk,
            "draft": "unknown",
            "object_id": User.objects.get(username="coowner").pk,
            "content_type_id": 1,
            "app_label": "accounts",
            "url": "nowhere",
            "notification_id": Notification.objects.get(recipient=self.people["owner"], event="matrix").pk,
            "alert_id": Alert.objects.get().pk,
            "waiver_id": Waiver.objects.get(model__name=row.object).pk if row.object in MODELS else 0,
        }
        return re.sub(r"\{(\w+)\}|<(?:\w+:)?(\w+)>", lambda found: str(names[found[1] or found[2]]), path)

    def body(self, row: Row) -> Any:
        """A body that is right."""
        folder = make_revision_input().model_url
        team = self.team.name
        size = {"vcpus": 1, "memory_gib": 1}
        task = {"team": team, "modality": "Text", "taxonomy": "Hate", "label_type": "Categorical", "labels": ["0", "1"]}
        model = {"model_url": folder, "connections": [{"task": self.task.name}]}
        return {
            ("POST", "/tokens"): {"name": "new"},
            ("POST", "/notifications/read"): {"up_to": 0},
            ("POST", "/teams"): {"name": "new"},
            ("POST", "/taxonomies"): {"name": "new"},
            ("POST", "/instance-types"): {"name": "new", **size},
            ("POST", "/tasks"): {"name": "new", **task},
            ("POST", "/models"): {**model, **({"team": team} if row.object == "the-team" else {})},
            ("PATCH", "/models/{name}"): {"description": "new"},
            ("POST", "/models/{name}/owners"): {"username": "coowner"},
            ("POST", "/models/{name}/revisions"): {},
            ("PATCH", "/models/{name}/revisions/{version}"): {"note": "new"},
            ("POST", "/models/{name}/waivers"): {**WAIVED, "owner": "owner", "until": _in_a_month().isoformat()},
            ("POST", "/models/{name}/revisions/{version}/load-test"): {"steps": [1]},
            ("PUT", "/models/{name}/revisions/{version}/allowed-hosts"): {"hosts": ["api.example"]},
        }.get((row.method, row.path))

    def form(self, row: Row) -> dict[str, str]:
        """What a page's form sends; where its fields do not matter for who may, it is not filled in: 422."""
        if "/owners/" in row.path or "/members/" in row.path:
            return {"username": "coowner"}
        return {"none_of_its_fields": "1"}

    def client(self, role: str) -> tuple[Client, str]:
        """A client in that role, and the token it sends."""
        client = Client()
        user = self.people[role]
        if user is not None and role not in self.tokens:
            client.force_login(user)
        return client, self.tokens.get(role, "")


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The world, made once for all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture
def world(made: World, db: None) -> World:
    """The world; what a test does in it is rolled back."""
    return made


def make_world() -> World:
    team = make_team("the team")
    owner = make_user("owner", teams=(team,))
    coowner = make_user("coowner", teams=(team,))
    task = make_task("moderation")
    for name in MODELS:
        model = make_model(name, owner=owner, team=team, tasks=(task,))
        add_owner(actor=ACTOR, model=model, user=coowner)
        create_revision(actor=ACTOR, user=owner, model=model, revision=make_revision_input("v2.0.0"))
        Revision.objects.filter(model=model, version="v2.0.0").update(status="verifyFailed", artifact_digest=DIGEST)
        for version in ("v3.0.0", "v4.0.0"):
            create_revision(actor=ACTOR, user=owner, model=model, revision=make_revision_input(version))
        Revision.objects.filter(model=model, version__in=("v3.0.0", "v4.0.0")).update(status="verified")
        enabled(model.revisions.get(version="v4.0.0"))
        keep_scan(model.revisions.get(version="v1.0.0"), *EVERY_ACTION)
        create_waiver(actor=ACTOR, user=owner, model=model, owner=owner, until=_in_a_month(), **WAIVED)
    publish(Model.objects.get(name="public"))
    notify(actor=ACTOR, people=[owner], news=News(Kind.OWNERSHIP, "matrix", "title", "reason", "/models/"))
    raise_alert(actor=ACTOR, fault=DiskFullError("no room"))
    tokens = {f"{scope} token": make_token(owner, scope=scope) for scope in ("read", "write")}
    make_token(owner)
    PersonalAccessToken.objects.filter(pk=PersonalAccessToken.objects.order_by("pk").last().pk).update(name="own")
    people = {
        "anonymous": None,
        "user": make_user("user"),
        "team member": make_user("member", teams=(team,)),
        "owner": owner,
        "administrator": make_user("root", is_administrator=True),
        "read token": owner,
        "write token": owner,
    }
    return World(people=people, tokens=tokens, team=team, task=task)


def _in_a_month() -> dt.date:
    return timezone.localdate() + dt.timedelta(days=30)


def _version_for(path: str, method: str) -> str:
    """A version in the state that an address needs."""
    if path.rstrip("/").endswith(("/retry", "/rescan")):
        return "v2.0.0"
    if "/load-test" in path:
        return "v3.0.0" if method == "POST" and "/cancel" not in path else "v4.0.0"
    return "v1.0.0"


def in_every_role(world: World, ask: Any) -> dict[str, int]:
    """The status in each role; each role finds the world untouched."""
    found = {}
    for role in ROLES:
        client, token = world.client(role)
        with transaction.atomic():
            found[role] = status_of(ask(client, token))
            transaction.set_rollback(True)
    return found


def status_of(answer: HttpResponse) -> int:
    location = answer.headers.get("Location", "")
    return 401 if answer.status_code == 302 and location.startswith(SIGN_IN) else answer.status_code


@pytest.mark.parametrize("row", read(API), ids=lambda row: f"{row.method} {row.path} {row.object}")
def test_api(row: Row, world: World):
    path, body = world.fill(row.path, row), world.body(row)
    found = in_every_role(world, lambda client, token: Api(token=token, client=client).call(row.method, path, body))
    assert found == row.expected


@pytest.mark.parametrize("row", read(PAGES), ids=lambda row: f"{row.method} {row.path} {row.object}")
def test_page(row: Row, world: World):
    path, form = world.fill(row.path, row), world.form(row)

    def ask(client: Client, token: str) -> HttpResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        send = client.post if row.method == "POST" else client.get
        return send(path, form if row.method == "POST" else None, headers=headers)

    assert in_every_role(world, ask) == row.expected


def test_every_operation_of_the_api_has_a_row():
    schema = api.get_openapi_schema()
    operations = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in schema["paths"].items()
        for method in methods
    }
    assert {(row.method, row.path) for row in read(API)} == operations


def test_what_names_a_model_has_a_row_for_private_and_public_ones():
    for rows in (read(API), read(PAGES)):
        named = {(row.method, row.path) for row in rows if re.match(r"(/live)?/models/[{<]", row.path)}
        for method, path in named:
            objects = {row.object for row in rows if (row.method, row.path) == (method, path)}
            assert objects == {"private", "public"}, path


def test_every_page_has_a_row():
    assert {row.path for row in read(PAGES)} == set(pages())


def test_a_method_without_a_row_is_not_taken(world: World):
    """So no page writes behind the table's back."""
    rows = read(PAGES)
    own = [path for path in pages() if not path.startswith(("/accounts/", "/admin/", "/api/"))]
    taken = []
    for path in own:
        thing = next(row for row in rows if row.path == path)
        for method in METHODS:
            if any((row.method, row.path) == (method, path) for row in rows):
                continue
            client, _ = world.client("administrator")
            status = client.generic(method, world.fill(path, thing)).status_code
            if status != 405:
                taken.append((method, path, status))
    assert taken == []


def test_the_document_shows_this_table():
    assert DOCUMENT.read_text(encoding="utf-8") == render()


def pages() -> Iterator[str]:
    """Every address that is no operation of the API."""
    operations = {
        path.removeprefix("/").replace("{", "<").replace("}", ">") for path in api.get_openapi_schema()["paths"]
    }
    for path in _walk(get_resolver().url_patterns, ""):
        if re.sub(r"<\w+:", "<", path) not in operations:
            yield "/" + path


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + _readable(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path


def _readable(pattern: str) -> str:
    """`^x/(?P<key>[-:\\w]+)/$` as `x/<key>/`."""
    if "(?P" not in pattern:
        return pattern
    named = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", pattern)
    return named.removeprefix("^").removesuffix("$")
