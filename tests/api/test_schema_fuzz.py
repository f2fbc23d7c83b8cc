"""Schemathesis sends what the description allows and what it forbids; seed and budget are fixed."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.config import ProjectConfig
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mop.accounts.models import User
from support.factories import make_model, make_token, make_user

METHODS = {"get", "put", "post", "delete", "patch"}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
load_all_checks()
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
OPERATIONS = [
    (path, method.upper()) for path, item in schema.raw_schema["paths"].items() for method in item if method in METHODS
]
each_operation = pytest.mark.parametrize(
    ("path", "method"), OPERATIONS, ids=[f"{method} {path}" for path, method in OPERATIONS]
)


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


def budget(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@each_operation
def test_every_answer_to_an_administrator_is_as_described(path: str, method: str, administrator_token: str):
    fuzz(path, method, administrator_token, examples=10)


@each_operation
def test_every_answer_to_an_owner_is_as_described(path: str, method: str, owner_token: str):
    fuzz(path, method, owner_token, examples=4, config=WITHOUT_COVERAGE)


# an owner is asked with drawn examples alone; the cases of the coverage phase go as administrator. What a stranger is
# answered has no other form than problems, and the permission matrix asks for each
WITHOUT_COVERAGE = copy.deepcopy(schema.config)
WITHOUT_COVERAGE.phases.coverage.enabled = False


def fuzz(path: str, method: str, token: str, *, examples: int, config: ProjectConfig = schema.config) -> None:
    # made anew for each test: hypothesis takes settings for a function once
    def ask(case: schemathesis.Case, token: str) -> None:
        if "/models/" in case.path:
            case.path_parameters["name"] = "scorer"
            if "version" in case.path_parameters:
                case.path_parameters["version"] = "v1.0.0"
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        case.call_and_validate(headers=headers, checks=CHECKS)

    # what `schema.parametrize` does while tests are collected, in each process and for all operations: a quarter of
    # the time of collecting all tests
    test = build_operation_test(
        config=config,
        operation=schema[path][method],
        test_func=budget(examples)(ask),
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=make_constants_value_source(schema)),
    )
    test(token=token)
