"""API of load tests: state and results, enable, cancel."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.rules import authorise
from mop.loadtest.documents import LoadTestRunOut
from mop.loadtest.export import document_of
from mop.loadtest.schemas import LoadTestIn
from mop.loadtest.services import cancel_load_test, enable_load_test
from mop.registry.models import Revision
from mop.registry.selectors import get_revision

router = Router(tags=["load tests"])
_LOAD_TEST = "/models/{name}/revisions/{version}/load-test"

RunNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get(_LOAD_TEST, response=LoadTestRunOut)
def get_load_test(request: HttpRequest, name: str, version: str, run: RunNumber = None) -> LoadTestRunOut:
    """State, live numbers and results of the newest run, or of run `run`. Everyone who sees the revision."""
    user = caller_of(request).user
    return document_of(user, get_revision(user, name, version), run)


@router.post(_LOAD_TEST, response={201: LoadTestRunOut})
def post_load_test(request: HttpRequest, name: str, version: str, body: LoadTestIn) -> Status[LoadTestRunOut]:
    """Start a run of a verified revision; earlier runs stay. Owners only."""
    caller = caller_of(request)
    revision = _changeable(caller, name, version)
    enable_load_test(actor=caller.actor, revision=revision, request=body.run_request())
    return Status(201, document_of(caller.user, revision))


@router.post(f"{_LOAD_TEST}/cancel", response=LoadTestRunOut)
def post_cancel(request: HttpRequest, name: str, version: str) -> LoadTestRunOut:
    """End the run that waits or runs; steps that ended are kept. Owners only."""
    caller = caller_of(request)
    revision = _changeable(caller, name, version)
    cancel_load_test(actor=caller.actor, revision=revision)
    return document_of(caller.user, revision)


def _changeable(caller: Caller, name: str, version: str) -> Revision:
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "loadtest.change", revision, what="load-test this version")
    return revision
