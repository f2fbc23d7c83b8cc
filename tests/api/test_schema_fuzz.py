"""Schemathesis sends what the description allows and what it forbids; seed and budget are fixed."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.addresses import API_ROOT, operations
from support.factories import make_model, make_token, make_user

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
load_all_checks()
# in one process, where the description is read once; half a minute of CPU for what seldom breaks
pytestmark = [pytest.mark.second_tier, pytest.mark.xdist_group("schema")]
OPERATIONS = [*operations()]
each_operation = pytest.mark.parametrize(
    ("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS]
)


@functools.cache
def schema() -> BaseSchema:
    """Read by the first test that needs it: reading takes seconds, and every process collects this file."""
    found: BaseSchema = schemathesis.openapi.from_wsgi(f"{API_ROOT}/openapi.json", get_wsgi_application())
    assert sum(len(methods) for methods in found.raw_schema["paths"].values()) == len(OPERATIONS)
    return found


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests stay within the transaction of the test, as those of Django's own test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@dataclass(frozen=True)
class Tokens:
    """Of an administrator, of the owner of the private model that every path names, and of somebody who sees none."""

    administrator: str
    owner: str
    stranger: str


@pytest.fixture(scope="module")
def made(kept_for_the_file: None) -> Tokens:
    owner = make_user("olivia")
    make_model("scorer", owner=owner)  # so that requests get through to the services
    return Tokens(make_token(make_user("ada", is_administrator=True)), make_token(owner), make_token(make_user()))


@pytest.fixture
def tokens(made: Tokens, db: None) -> Tokens:
    """What a test does with them is rolled back."""
    return made


BUDGET = settings(
    max_examples=7,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@each_operation
def test_every_answer_is_as_described(method: str, path: str, tokens: Tokens):
    """Each case is asked by the administrator, what was drawn by the owner too, and the first of it by a stranger.

    What a stranger is answered is a list or a problem; the permission matrix holds each of its statuses, too.
    """
    once = [tokens.stranger]

    # made anew for each test: hypothesis takes settings for a function once
    def ask(case: schemathesis.Case, tokens: Tokens) -> None:
        if "/models/" in case.path:
            case.path_parameters["name"] = "scorer"
            if "version" in case.path_parameters:
                case.path_parameters["version"] = "v1.0.0"
        drawn = case.meta is None or case.meta.phase.name != TestPhase.COVERAGE
        asking = [tokens.administrator]
        if drawn:
            asking += [tokens.owner, *once]
            once.clear()
        for token in asking:
            headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
            with transaction.atomic():  # the next finds everything there that this one changes or removes
                case.call_and_validate(headers=headers, checks=CHECKS)
                transaction.set_rollback(True)

    # what `schema.parametrize` does while tests are collected, in each process and for all operations: a quarter of
    # the time of collecting all tests
    test = build_operation_test(
        config=schema().config,
        operation=schema()[f"{API_ROOT}{path}"][method],
        test_func=BUDGET(ask),
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=make_constants_value_source(schema())),
    )
    test(tokens=tokens)
