"""Every address of API and portal, in every role; the rows stand with the areas, in their `permissions.py`.

On PostgreSQL each address is asked once, by the one of owner and administrator who gets furthest.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from mop.api.api import api
from mop.areas.permissions import OTHER_ROLES, Row
from mop.areas.scopes import READING_METHODS, TOKEN_AREAS, RouteScope, covers
from support.addresses import API_ROOT, operations, pages
from support.api import Api
from support.factories import make_token
from support.permission_table import DOCUMENT, api_rows, page_rows, render
from support.permission_world import EVERY_OTHER, World, make_world

SIGN_IN = ("/accounts/login/", "/admin/login/")
METHODS = ("GET", "POST")
# who may does not depend on the database; whether it takes the statements of a view does
ON_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


@pytest.fixture(scope="module")
def made(kept_for_the_file: None) -> World:
    return make_world()


@pytest.fixture
def world(made: World, db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world; what a test does in it is rolled back."""
    # the client keeps a copy of what each part of a page is made of, which nobody asks for here
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *_, **__: None)
    return made


def first_rows(rows: list[Row]) -> list[Row]:
    """The first row of each address."""
    return [*{(row.method, row.path): row for row in reversed(rows)}.values()][::-1]


def asked_rows(rows: list[Row]) -> list[Row]:
    """All rows; on PostgreSQL the one of each address that gets furthest."""
    return first_rows(sorted(rows, key=lambda row: row.expected[furthest(row)])) if ON_POSTGRESQL else rows


def furthest(row: Row) -> str:
    """The one of owner and administrator who gets further than the other."""
    return min("owner", "administrator", key=lambda role: row.expected[role])


def in_every_role(world: World, row: Row, ask: Any) -> None:
    """Compare the status in each role that asks with the row; each finds the world untouched."""
    expected = {furthest(row): row.expected[furthest(row)]} if ON_POSTGRESQL else expected_of(row)
    found = {}
    for role in expected:
        client, token = world.client(role)
        with transaction.atomic():
            world.become(role)
            found[role] = status_of(ask(client, token))
            transaction.set_rollback(True)
    assert found == expected


def expected_of(row: Row) -> dict[str, int]:
    """The status for each role that is asked.

    Somebody who is all of OTHER_ROLES, but owns no model, is asked once where the owner gets another answer than a
    user. Where their answer is the user's, so is that of each of them: what a role gives, a further one never takes.
    """
    if row.as_owner:
        return {**row.expected, **{role: row.other(role) for role in OTHER_ROLES}}
    user = row.expected["user"]
    return row.expected if row.expected["owner"] == user else {**row.expected, EVERY_OTHER: user}


def status_of(answer: HttpResponse) -> int:
    location = answer.headers.get("Location", "")
    return 401 if answer.status_code == 302 and location.startswith(SIGN_IN) else answer.status_code


@pytest.mark.dialect
@pytest.mark.parametrize("row", asked_rows(api_rows()), ids=lambda row: f"{row.method} {row.path} {row.object}")
def test_api(row: Row, world: World):
    path, body = world.fill(row), world.body(row)
    in_every_role(world, row, lambda client, token: Api(token=token, client=client).call(row.method, path, body))


@pytest.mark.dialect
@pytest.mark.parametrize("row", asked_rows(page_rows()), ids=lambda row: f"{row.method} {row.path} {row.object}")
def test_page(row: Row, world: World):
    path, form = world.fill(row), world.form(row)

    def ask(client: Client, token: str) -> HttpResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        send = client.post if row.method == "POST" else client.get
        return send(path, form if row.method == "POST" else None, headers=headers)

    in_every_role(world, row, ask)


def test_every_operation_of_the_api_has_one_scope():
    scopes: dict[tuple[str, str], set[RouteScope | None]] = {}
    for row in api_rows():
        scopes.setdefault((row.method, row.path), set()).add(row.scope)
    assert [route for route, found in scopes.items() if len(found) != 1 or None in found] == []


@pytest.mark.parametrize("row", first_rows(api_rows()), ids=lambda row: f"{row.method} {row.path}")
def test_an_operation_needs_its_scope_and_no_other(row: Row, world: World):
    """A token of that scope alone does what a token for everything does; one of all other scopes does nothing.

    No fewer scopes can then do more, for a token is refused when none of its scopes is enough. On the first object of
    the operation's rows: which object it is, is the user's right and not the token's; the test above asks all of them.
    """
    assert row.scope is not None
    needed = row.scope.needed(row.method)
    every = {f"{area.value}:{access}" for area in TOKEN_AREAS for access in ("read", "write")}
    enough = {scope for scope in every if covers([scope], needed)}
    expected = "read token" if row.method in READING_METHODS else "write token"

    def status(scopes: set[str]) -> int:
        with transaction.atomic():
            token = make_token(world.owner, scopes=tuple(sorted(scopes)))
            found = status_of(Api(token=token).call(row.method, path, body))
            transaction.set_rollback(True)
        return found

    path, body = world.fill(row), world.body(row)
    assert status({needed} if needed else {"account:read"}) == row.expected[expected]
    if needed:
        assert enough == {needed, f"{row.scope.value}:write"}
        assert status(every - enough) == 403


def test_every_operation_of_the_api_has_a_row():
    assert {(row.method, row.path) for row in api_rows()} == set(operations())


def test_every_answer_of_the_table_is_described():
    """So nobody gets an answer that the description does not tell of: strangers among them, whom no fuzzing asks."""
    paths = api.get_openapi_schema(path_prefix=API_ROOT)["paths"]
    described = {
        (method.upper(), path.removeprefix(API_ROOT)): {int(status) for status in operation["responses"]}
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    missing = {
        (row.method, row.path, status)
        for row in api_rows()
        for status in {*row.expected.values()} - described[row.method, row.path]
    }
    assert missing == set()


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
