"""How the outcomes of a version differ from those of another on the same cases."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When

from mop.dsat.states import CaseState
from mop.evaluation.case_runs.kinds import CaseTask, question_digest
from mop.evaluation.case_runs.models import COUNTS
from mop.evaluation.metrics.comparison import mcnemar
from mop.evaluation.metrics.intervals import Interval, wilson
from mop.registry.models import Revision, TaskConnection
from mop.regression.models import RegressionOutcome, RegressionRun

SIGNIFICANT = 0.05


class Change(enum.StrEnum):
    """A case in two versions."""

    BROKEN = "newly broken"
    FIXED = "newly fixed"
    FAILING = "still failing"
    FAILS = "fails"
    PASSES = "passes"


@dataclass(frozen=True)
class TaskRate:
    """The pass rate of one task."""

    task_id: int
    task: str
    cases: int
    passed: int

    @property
    def pass_rate(self) -> float:
        """The share that passed."""
        return self.passed / self.cases

    @property
    def interval(self) -> Interval | None:
        """Its 95 % interval."""
        return wilson(self.passed, self.cases)


@dataclass(frozen=True)
class Comparison:
    """What changed from another version to this one, on the cases that both were tested on.

    Attributes:
        against: the other version's run.
        cases: how many both were tested on.
        fixed: passed by this version alone.
        broken: passed by the other alone.
        p: McNemar's probability that two equally good versions differ as much.
    """

    against: RegressionRun
    cases: int
    fixed: int
    broken: int

    @property
    def p(self) -> float:
        """By McNemar's test."""
        return mcnemar(self.broken, self.fixed)

    @property
    def is_significant(self) -> bool:
        """Whether 95 % confidence leaves no doubt about which is better."""
        return self.p < SIGNIFICANT

    @property
    def difference(self) -> float | None:
        """Pass rate of this version minus that of the other; None without a case in common."""
        return (self.fixed - self.broken) / self.cases if self.cases else None


def digest_of_case(task: CaseTask, edition: int) -> str:
    """Of a case and of how it is asked: its content never changes, and what decides counts its editions."""
    return question_digest(task, str(edition))


def outcomes_of(run: RegressionRun) -> QuerySet[RegressionOutcome]:
    """The outcomes of the result that stands, on cases of tasks that are connected."""
    rows = RegressionOutcome.objects.filter(
        run=run, attempt=run.measured_attempt or 0, case__task__in=connected_tasks(run)
    )
    return rows.select_related("case", "case__task", "case__submitter")


def connected_tasks(run: RegressionRun) -> Any:
    """Ids of the tasks of a version's model. Results of other tasks are hidden, not lost."""
    return TaskConnection.objects.filter(model=run.revision.model_id).order_by().values("task")


def counts_of_result(run: RegressionRun) -> dict[str, int]:
    """How many cases the result that stands has, how many passed, and how many have no answer."""
    found: dict[str, int] = outcomes_of(run).order_by().aggregate(**COUNTS)
    return found


def rates_of(run: RegressionRun) -> list[TaskRate]:
    """The pass rate of each task with cases, by name."""
    rows = outcomes_of(run).order_by().values("case__task_id", "case__task__name")
    counted = rows.annotate(cases=Count("pk"), passed=Count("pk", filter=Q(is_passed=True)))
    return [
        TaskRate(row["case__task_id"], row["case__task__name"], row["cases"], row["passed"])
        for row in counted.order_by("case__task__name")
    ]


def rate_as_they_stand(run: RegressionRun, task: CaseTask) -> tuple[int, int]:
    """How many cases of a task were tested as they stand now, and how many of those passed. One query.

    A case that was rejected since is none of them; nor is one whose expected label changed, or that was asked under
    another name of the task's taxonomy.
    """
    rows = outcomes_of(run).filter(case__task=task.task_id).exclude(case__state=CaseState.REJECTED).order_by()
    counted = rows.values_list("case__edition", "case_digest").annotate(
        cases=Count("pk"), passed=Count("pk", filter=Q(is_passed=True))
    )
    holding = [(cases, passed) for edition, digest, cases, passed in counted if digest == digest_of_case(task, edition)]
    return sum(cases for cases, _ in holding), sum(passed for _, passed in holding)


def compared(run: RegressionRun, against: RegressionRun | None) -> Any:
    """The outcomes of a run as a queryset, each with `change` and `before`: label or error there, None without one.

    An outcome of the other version on a case that was expected otherwise then is none.
    """
    rows = outcomes_of(run)
    if against is None:
        passes, label = Value(None, output_field=BooleanField()), Value(None, output_field=CharField())
        rows = rows.annotate(before_passed=passes, before=label)
    else:
        other = RegressionOutcome.objects.filter(
            run=against,
            attempt=against.measured_attempt or 0,
            case=OuterRef("case"),
            case__task__in=connected_tasks(against),
            expected=OuterRef("expected"),
        )
        rows = rows.annotate(
            before_passed=Subquery(other.values("is_passed")[:1]),
            before=Subquery(other.annotate(said=_said()).values("said")[:1]),
        )
    return rows.annotate(
        change=Case(
            When(is_passed=False, before_passed=True, then=Value(Change.BROKEN.value)),
            When(is_passed=True, before_passed=False, then=Value(Change.FIXED.value)),
            When(is_passed=False, before_passed=False, then=Value(Change.FAILING.value)),
            When(is_passed=False, then=Value(Change.FAILS.value)),
            default=Value(Change.PASSES.value),
            output_field=CharField(),
        ),
        turn=Case(
            When(is_passed=False, before_passed=True, then=Value(0)),
            When(is_passed=True, before_passed=False, then=Value(1)),
            When(is_passed=False, then=Value(2)),
            default=Value(3),
        ),
    )


def counts_of(run: RegressionRun, against: RegressionRun | None) -> Mapping[Change, int]:
    """How many cases there are of each change."""
    found = dict(compared(run, against).order_by().values_list("change").annotate(count=Count("pk")))
    return {change: found.get(change.value, 0) for change in Change}


def comparison_of(run: RegressionRun, against: RegressionRun) -> Comparison:
    """What changed from another version, of this model or another, to this one."""
    rows = compared(run, against).filter(before_passed__isnull=False).order_by()
    found = rows.aggregate(
        cases=Count("pk"),
        fixed=Count("pk", filter=Q(change=Change.FIXED.value)),
        broken=Count("pk", filter=Q(change=Change.BROKEN.value)),
    )
    return Comparison(against, found["cases"], found["fixed"], found["broken"])


def previous_run(run: RegressionRun, *, among: QuerySet[Revision] | None = None) -> RegressionRun | None:
    """The result of the version before, among these versions if they are given; None where there is none."""
    before = RegressionRun.objects.filter(
        revision__model=run.revision.model_id,
        revision__created_at__lt=run.revision.created_at,
        measured_at__isnull=False,
    )
    if among is not None:
        before = before.filter(revision__in=among)
    return before.select_related("revision__model").order_by("-revision__created_at").first()


def _said() -> Case:
    return Case(When(predicted="", then=F("error")), default=F("predicted"), output_field=CharField())
