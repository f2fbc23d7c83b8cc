"""Regression tests as the API answers them."""

from __future__ import annotations

from typing import Any, cast

from mop.evaluation.case_runs.documents import run_facts
from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.reports.document import IntervalOut
from mop.regression.comparison import Comparison, TaskRate, comparison_of, rates_of
from mop.regression.models import RegressionRun
from mop.regression.schemas import CaseOutcomeOut, ChangeName, RegressionComparisonOut, RegressionOut, TaskRateOut


def regression_out(run: RegressionRun, against: RegressionRun | None) -> RegressionOut:
    """A test, compared with another version's."""
    return RegressionOut(
        id=run.pk,
        model=run.revision.model.name,
        version=run.revision.version,
        tasks=tuple(map(_rate, rates_of(run))),
        comparison=_comparison(comparison_of(run, against)) if against and run.is_measured else None,
        **run_facts(run),
    )


def outcome_out(row: Any) -> CaseOutcomeOut:
    """One row of `compared`."""
    return CaseOutcomeOut(
        case=row.case_id,
        task=row.case.task.name,
        kind=row.case.kind,
        expected=row.expected,
        predicted=row.predicted or None,
        error=row.error or None,
        passed=row.is_passed,
        before=row.before,
        change=cast("ChangeName", row.change),
        created_at=row.case.created_at,
    )


def _rate(one: TaskRate) -> TaskRateOut:
    return TaskRateOut(one.task, one.cases, one.passed, one.cases - one.passed, one.pass_rate, _interval(one.interval))


def _comparison(found: Comparison) -> RegressionComparisonOut:
    revision = found.against.revision
    return RegressionComparisonOut(
        revision.model.name,
        revision.version,
        found.cases,
        found.fixed,
        found.broken,
        found.difference,
        found.p,
        found.is_significant,
    )


def _interval(interval: Interval | None) -> IntervalOut | None:
    return IntervalOut(interval.low, interval.high) if interval else None
