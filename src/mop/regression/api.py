"""API of regression tests: how versions do on DSAT cases, and which cases they fix."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from mop.accounts.access import caller_of
from mop.accounts.models import User
from mop.accounts.rules import authorise
from mop.dsat.states import CaseState
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.regression import services
from mop.regression.comparison import compared
from mop.regression.documents import outcome_out, regression_out
from mop.regression.models import RegressionRun
from mop.regression.schemas import CaseOutcomePage, ChangeName, RegressionOut, SettledOut, SettleIn
from mop.regression.selectors import get_run, visible_previous

router = Router(tags=["regression tests"])
_ONE = "/models/{name}/revisions/{version}/regression"
With = Annotated[str | None, Query(alias="with", description="another version of the model; else the one before")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get(_ONE, response=RegressionOut)
def get_regression(request: HttpRequest, name: str, version: str, other: With = None) -> RegressionOut:
    """The regression test of a version: pass rates by task, and what changed. Everyone who sees the revision."""
    user = caller_of(request).user
    run = get_run(get_revision(user, name, version))
    return regression_out(run, _other(user, run, other))


@router.get(f"{_ONE}/cases", response=CaseOutcomePage)
def list_outcomes(
    request: HttpRequest,
    name: str,
    version: str,
    other: With = None,
    change: ChangeName | None = None,
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next_after` of the page before")] = None,
    limit: Limit = 100,
) -> CaseOutcomePage:
    """The outcome of every case, newest first; no content. Everyone who sees the revision."""
    user = caller_of(request).user
    run = get_run(get_revision(user, name, version))
    rows = compared(run, _other(user, run, other)).order_by("-case_id")
    if change is not None:
        rows = rows.filter(change=change)
    if after is not None:
        rows = rows.filter(case_id__lt=after)
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return CaseOutcomePage(tuple(map(outcome_out, shown)), shown[-1].case_id if len(found) > limit else None)


@router.post(f"{_ONE}/run", response=RegressionOut)
def post_run(request: HttpRequest, name: str, version: str) -> RegressionOut:
    """Test a version on every case of its tasks anew. Model owners only."""
    caller = caller_of(request)
    revision = _changeable(caller.user, name, version)
    run = services.run_again(actor=caller.actor, revision=revision)
    return regression_out(run, visible_previous(caller.user, run))


@router.post(f"{_ONE}/cancel", response=RegressionOut)
def post_cancel(request: HttpRequest, name: str, version: str) -> RegressionOut:
    """End a test that waits or goes on; a result that stands stays. Model owners only."""
    caller = caller_of(request)
    revision = _changeable(caller.user, name, version)
    services.cancel(actor=caller.actor, revision=revision)
    run = get_run(revision)
    return regression_out(run, visible_previous(caller.user, run))


@router.post(f"{_ONE}/fixed", response=SettledOut)
def post_fixed(request: HttpRequest, name: str, version: str, body: SettleIn) -> SettledOut:
    """Mark cases that this version passes as fixed by it. Assignees of cases and owners of tasks."""
    return _settle(request, name, version, body, CaseState.FIXED)


@router.post(f"{_ONE}/closed", response=SettledOut)
def post_closed(request: HttpRequest, name: str, version: str, body: SettleIn) -> SettledOut:
    """Close cases that are marked as fixed by this version. Submitters, and those who work on a case."""
    return _settle(request, name, version, body, CaseState.CLOSED)


def _settle(request: HttpRequest, name: str, version: str, body: SettleIn, to: CaseState) -> SettledOut:
    caller = caller_of(request)
    run = get_run(get_revision(caller.user, name, version))
    cases = services.settle(actor=caller.actor, user=caller.user, run=run, to=to, chosen=body.cases)
    return SettledOut(tuple(case.pk for case in cases))


def _other(user: User, run: RegressionRun, version: str | None) -> RegressionRun | None:
    """The test that is compared with: of the version that is named, else of the one before, if the user sees it.

    Raises:
        NotFoundError: the version that is named has none that the user may see.
    """
    if version is not None:
        return get_run(get_revision(user, run.revision.model.name, version))
    return visible_previous(user, run)


def _changeable(user: User, name: str, version: str) -> Revision:
    revision = get_revision(user, name, version)
    authorise(user, "regression.run", revision, what="run regression tests of this version")
    return revision
