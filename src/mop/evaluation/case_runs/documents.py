"""What the API gives about every run over cases."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal, cast

from mop.errors import ErrorDocument
from mop.evaluation.case_runs.models import CaseRun
from mop.evaluation.documents import error_of
from mop.evaluation.reports.document import IntervalOut

StateName = Literal["queued", "running", "finished", "failed", "mappingError", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class CaseRunOut:
    """How a run stands.

    Attributes:
        status: of the newest attempt.
        is_final: whether nothing changes by itself any more.
        is_measured: whether a result stands, also while a further attempt goes on.
        is_stale: version, connection or cases changed since it was measured.
        progress: per cent of the cases, in steps of 5.
        cases: of the result that stands, as everything below; null without one.
        no_answer: cases without an answer; they failed.
        pass_rate: 0 to 1; null without a case.
        interval: of the pass rate, 95 %.
    """

    status: StateName
    is_final: bool
    is_measured: bool
    is_stale: bool
    progress: int
    error: ErrorDocument | None
    cases: int | None
    passed: int | None
    failed: int | None
    no_answer: int | None
    pass_rate: float | None
    interval: IntervalOut | None
    measured_at: dt.datetime | None


def run_facts(run: CaseRun) -> dict[str, Any]:
    """The fields of a CaseRunOut."""
    state, interval = run.get_state(), run.interval
    return {
        "status": cast("StateName", state.value),
        "is_final": state.is_final,
        "is_measured": run.is_measured,
        "is_stale": run.is_stale,
        "progress": run.progress,
        "error": error_of(run),
        "cases": run.cases,
        "passed": run.passed,
        "failed": run.failed if run.is_measured else None,
        "no_answer": run.no_answer,
        "pass_rate": run.pass_rate,
        "interval": IntervalOut(interval.low, interval.high) if interval else None,
        "measured_at": run.measured_at,
    }
