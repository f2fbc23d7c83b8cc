"""Every address of API and portal, in every role. The rows stand with the areas, in their `permissions.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoDbBlocker

from mop.areas.permissions import ROLES, Row
from mop.areas.scopes import TOKEN_AREAS, RouteScope
from support.addresses import operations, pages
from support.api import Api
from support.factories import make_token
from support.permission_table import DOCUMENT, api_rows, page_rows, render
from support.permission_world import World, make_world

pytestmark = pytest.mark.dialect

SIGN_IN = ("/accounts/login/", "/admin/login/")
METHODS = ("GET", "POST")


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


@pytest.mark.parametrize("row", api_rows(), ids=lambda row: f"{row.method} {row.path} {row.object}")
def test_api(row: Row, world: World):
    path, body = world.fill(row), world.body(row)
    found = in_every_role(world, lambda client, token: Api(token=token, client=client).call(row.method, path, body))
    assert found == row.expected


@pytest.mark.parametrize("row", page_rows(), ids=lambda row: f"{row.method} {row.path} {row.object}")
def test_page(row: Row, world: World):
    path, form = world.fill(row), world.form(row)

    def ask(client: Client, token: str) -> HttpResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        send = client.post if row.method == "POST" else client.get
        return send(path, form if row.method == "POST" else None, headers=headers)

    assert in_every_role(world, ask) == row.expected


def test_every_operation_of_the_api_has_one_scope():
    scopes: dict[tuple[str, str], set[RouteScope | None]] = {}
    for row in api_rows():
        scopes.setdefault((row.method, row.path), set()).add(row.scope)
    assert [route for route, found in scopes.items() if len(found) != 1 or None in found] == []


@pytest.mark.parametrize("access", ["read", "write"])
@pytest.mark.parametrize("scope", TOKEN_AREAS, ids=str)
def test_tokens_of_one_scope(scope: RouteScope, access: str, world: World):
    """A token of one area does there what a token for everything does, and nothing anywhere else.

    Each operation is asked once for each scope, on the first object of its rows: which object it is, is the user's
    right and not the token's; the test above asks all of them.
    """
    token = make_token(world.owner, scopes=(f"{scope.value}:{access}",))
    wrong = {}
    for (method, path), row in {(row.method, row.path): row for row in reversed(api_rows())}.items():
        is_allowed = row.scope in {scope, RouteScope.ANY_TOKEN}
        expected = row.expected[f"{access} token"] if is_allowed else 403
        with transaction.atomic():
            found = status_of(Api(token=token).call(method, world.fill(row), world.body(row)))
            transaction.set_rollback(True)
        if found != expected:
            wrong[f"{method} {path}"] = (found, expected)
    assert wrong == {}
    assert len(TOKEN_AREAS) == len(RouteScope) - 1


def test_every_operation_of_the_api_has_a_row():
    assert {(row.method, row.path) for row in api_rows()} == set(operations())


def test_what_names_a_model_has_a_row_for_private_and_public_ones():
    for rows in (api_rows(), page_rows()):
        named = {(row.method, row.path) for row in rows if re.match(r"(/live)?/models/[{<]", row.path)}
        for method, path in named:
            objects = {row.object for row in rows if (row.method, row.path) == (method, path)}
            assert objects == {"private", "public"}, path


def test_every_page_has_a_row():
    assert {row.path for row in page_rows()} == set(pages())


def test_a_method_without_a_row_is_not_taken(world: World):
    """So no page writes behind the table's back."""
    rows = page_rows()
    own = [path for path in pages() if not path.startswith(("/accounts/", "/admin/", "/api/"))]
    taken = []
    for path in own:
        thing = next(row for row in rows if row.path == path)
        for method in METHODS:
            if any((row.method, row.path) == (method, path) for row in rows):
                continue
            client, _ = world.client("administrator")
            address = world.fill(thing)
            # people who open such an address are led to a page above it; a part of a page is refused
            refused = client.generic(method, address, headers={"HX-Request": "true"})
            shown = client.generic(method, address)
            led = shown.status_code == 302 and address.startswith(shown["Location"]) if method == "GET" else True
            if refused.status_code != 405 or not led:
                taken.append((method, path, refused.status_code, shown.status_code))
    assert taken == []


def test_the_document_shows_this_table():
    assert DOCUMENT.read_text(encoding="utf-8") == render()
