"""What the API takes and gives about regression tests."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal

from ninja import Field, Schema

from mop.evaluation.case_runs.documents import CaseRunOut
from mop.evaluation.reports.document import IntervalOut

ChangeName = Literal["newly broken", "newly fixed", "still failing", "fails", "passes"]


@dataclass(frozen=True)
class TaskRateOut:
    """The pass rate of a task with cases; `interval` is its 95 % interval."""

    task: str
    cases: int
    passed: int
    failed: int
    pass_rate: float
    interval: IntervalOut | None


@dataclass(frozen=True)
class RegressionComparisonOut:
    """Against another version, on the cases that both were tested on.

    Attributes:
        fixed: cases that this version alone passes.
        broken: cases that the other alone passes.
        difference: of the pass rates, -1 to 1; null without a case in common.
        p: McNemar's test, two-sided.
    """

    model: str
    version: str
    cases: int
    fixed: int
    broken: int
    difference: float | None
    p: float
    is_significant: bool


@dataclass(frozen=True, kw_only=True)
class RegressionOut(CaseRunOut):
    """The regression test of a version.

    Attributes:
        tasks: pass rates by task.
        comparison: with the version before, or the one that is named; null without such a result.
    """

    id: uuid.UUID
    model: str
    version: str
    tasks: tuple[TaskRateOut, ...]
    comparison: RegressionComparisonOut | None


@dataclass(frozen=True)
class CaseOutcomeOut:
    """How one case came out; its content is read at the case, by those who may.

    Attributes:
        case: number of the DSAT case.
        kind: falsePositive, falseNegative, or empty.
        predicted: null without an answer.
        error: the catalogue's name of why there is none.
        before: label or error in the other version; null where it has no outcome of this case.
    """

    case: int
    task: str
    kind: str
    expected: str
    predicted: str | None
    error: str | None
    passed: bool
    before: str | None
    change: ChangeName
    created_at: dt.datetime


@dataclass(frozen=True)
class CaseOutcomePage:
    """Outcomes, newest case first; `next_after` continues the list, null at its end."""

    items: tuple[CaseOutcomeOut, ...]
    next_after: int | None


class SettleIn(Schema):
    """Cases that this version passes."""

    cases: list[int] | None = Field(
        default=None, max_length=1000, description="numbers of cases; null: all that the caller may"
    )


@dataclass(frozen=True)
class SettledOut:
    """Numbers of the cases that changed."""

    cases: tuple[int, ...]
