"""Schemathesis sends what the description allows and what it forbids; seed and budget are fixed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mop.accounts.models import User
from support.factories import make_model, make_token, make_user

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests stay within the transaction of the test, as those of Django's own test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def owner(db: None) -> User:
    """Owns the private model that every path names, so that requests get through to the services."""
    user = make_user("olivia")
    make_model("scorer", owner=user)
    return user


@pytest.fixture
def administrator_token(owner: User) -> str:
    return make_token(make_user("ada", is_administrator=True))


@pytest.fixture
def owner_token(owner: User) -> str:
    return make_token(owner)


@pytest.fixture
def stranger_token(owner: User) -> str:
    return make_token(make_user("sam"))


def budget(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@schema.parametrize()
@budget(10)
def test_every_answer_to_an_administrator_is_as_described(case: schemathesis.Case, administrator_token: str):
    ask(case, administrator_token)


@schema.parametrize()
@budget(4)
def test_every_answer_to_an_owner_is_as_described(case: schemathesis.Case, owner_token: str):
    ask(case, owner_token)


@schema.parametrize()
@budget(3)
def test_every_answer_to_a_stranger_is_as_described(case: schemathesis.Case, stranger_token: str):
    ask(case, stranger_token)


def ask(case: schemathesis.Case, token: str) -> None:
    if "/models/" in case.path:
        case.path_parameters["name"] = "scorer"
        if "version" in case.path_parameters:
            case.path_parameters["version"] = "v1.0.0"
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    case.call_and_validate(headers=headers, checks=CHECKS)
