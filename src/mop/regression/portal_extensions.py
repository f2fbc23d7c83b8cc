"""What regression tests show on other pages: a tab, a column of the history, a key fact; on cases, their outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.dsat.models import Case
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from mop.regression.models import RegressionRun
from mop.regression.selectors import outcomes_on, runs_beside
from mop.ui.extensions import Cells, Column, Fact, Tab

OUTCOMES_MAX = 10
TAB = Tab("Regression test result", "regression:model", order=30)


def _cells(request: HttpRequest, revisions: Sequence[Revision], model: Model | None) -> Cells:
    found = runs_beside(user_of(request), revisions, model)
    runs = {run.revision_id: run for run in found}
    return Cells(
        html={row.pk: _cell(request, row, runs) for row in revisions},
        state=[_state(runs.get(row.pk)) for row in revisions],
        is_live=any(runs[row.pk].get_state().is_live for row in revisions if row.pk in runs),
        facts=_pass_rate(request, found) if model else (),
    )


def _cell(request: HttpRequest, revision: Revision, runs: Mapping[Any, RegressionRun]) -> SafeString:
    run = runs.get(revision.pk)
    context = {
        "revision": revision,
        "run": run,
        "state": run.get_state() if run else None,
        "is_expected": revision.regression_enabled and revision.get_status() == RevisionStatus.VERIFIED,
    }
    return render_to_string("regression/components/cell.html", context, request=request)


def _state(run: RegressionRun | None) -> list[Any]:
    return [run.state, run.progress, run.cases, run.passed, run.is_stale] if run else []


def _pass_rate(request: HttpRequest, found: Sequence[RegressionRun]) -> list[Fact]:
    """The pass rate of the newest version with a result, in the head of the model's page."""
    run = next((run for run in found if run.measured_at is not None), None)
    if run is None:
        return []
    return [Fact("Regression", render_to_string("regression/components/fact.html", {"run": run}, request=request))]


def outcomes_of_case(request: HttpRequest, case: Case) -> SafeString:
    """What the newest versions that the user sees answered to a case."""
    found = outcomes_on(user_of(request), case)[:OUTCOMES_MAX]
    return render_to_string("regression/components/case_outcomes.html", {"outcomes": found}, request=request)


COLUMN = Column("Regression test", _cells, yields=True)
