"""Columns of runs over cases and of their outcomes. No column holds a case, or anything that a model chose to write.

What a model says of a case is a label of the task, or a name of the error catalogue.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from mop.engine.models import DurableWork
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE, CaseRunState
from mop.evaluation.metrics.intervals import Interval, wilson
from mop.registry.models import Revision

ERROR_MAX = 64
# sorted: sets would give each migration another order
_ENDS = tuple(sorted(CASE_RUN_LIFECYCLE.final))


class CaseRun(DurableWork):
    """One version over cases. `case_runs/keeping.py` alone changes its state.

    A further run of the same is its next attempt. Until that ends well, the result of `measured_attempt` stands.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="%(class)ss")
    state = models.CharField(max_length=16, choices=CaseRunState, default=CaseRunState.QUEUED)
    attempt = models.PositiveIntegerField(default=1, help_text="counts runs; an answer to an earlier run is refused")
    queue = models.CharField(max_length=100, help_text="the engine's queue on which it waits for a host")
    priority = models.PositiveIntegerField(default=1, help_text="in the queue; lower goes first")
    asks_all = models.BooleanField(default=True, help_text="no outcome of the attempt before is taken over")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="per cent of the cases, in steps of 5")
    note = models.CharField(max_length=300, blank=True, help_text="what it waits for")

    # The result that stands. All are empty until the first run ended well.
    measured_at = models.DateTimeField(null=True, blank=True)
    measured_attempt = models.PositiveIntegerField(null=True, blank=True)
    is_stale = models.BooleanField(default=False, help_text="environment, connection or cases changed since")
    cases = models.PositiveIntegerField(null=True, blank=True)
    passed = models.PositiveIntegerField(null=True, blank=True)
    no_answer = models.PositiveIntegerField(null=True, blank=True, help_text="cases without an answer; they failed")
    artifact_digest = models.CharField(max_length=64, blank=True, help_text="of the model folder that answered")
    environment_digest = models.CharField(max_length=64, blank=True)
    cases_digest = models.CharField(max_length=64, blank=True, help_text="of the cases, and how they were asked")

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state__in=_ENDS, ended_at__isnull=False)
                | (~models.Q(state__in=_ENDS) & models.Q(ended_at__isnull=True)),
                name="%(class)s_ends_once",
            ),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="%(class)s_progress_is_a_percentage"),
            models.CheckConstraint(
                condition=models.Q(measured_at__isnull=True, measured_attempt__isnull=True, cases__isnull=True)
                | models.Q(measured_at__isnull=False, measured_attempt__isnull=False, cases__isnull=False),
                name="%(class)s_is_measured_whole",
            ),
        ]
        indexes = (models.Index(fields=("state", "queued_at"), name="%(class)s_waiting"),)

    def get_state(self) -> CaseRunState:
        """The state as its enum."""
        return CaseRunState(self.state)

    @property
    def is_measured(self) -> bool:
        """Whether a result stands, also while a further run goes on."""
        return self.measured_at is not None

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return (self.cases or 0) - (self.passed or 0)

    @property
    def pass_rate(self) -> float | None:
        """The share of cases that passed; None without a case."""
        return (self.passed or 0) / self.cases if self.cases else None

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the pass rate."""
        return wilson(self.passed or 0, self.cases) if self.cases else None


class CaseOutcome(models.Model):
    """How one case came out in one attempt of a run."""

    attempt = models.PositiveIntegerField()
    case_digest = models.CharField(max_length=64, blank=True, help_text="of the case as it was asked")
    expected = models.TextField(help_text="label of the task")
    predicted = models.TextField(blank=True, help_text="label of the task; empty: no answer")
    error = models.CharField(max_length=ERROR_MAX, blank=True, help_text="the catalogue's name of why there is none")
    is_passed = models.BooleanField()

    class Meta:
        abstract = True


COUNTS = {
    "cases": models.Count("pk"),
    "passed": models.Count("pk", filter=models.Q(is_passed=True)),
    "no_answer": models.Count("pk", filter=models.Q(predicted="")),
}
"""What a result counts of its outcomes, for `aggregate`; columns of the run."""


def constraints_of(*fields: str) -> tuple[models.BaseConstraint, ...]:
    """Each case has one outcome in an attempt, and an outcome that passed has an answer."""
    return (
        models.UniqueConstraint(fields=("run", "attempt", *fields), name="%(class)s_once_per_attempt"),
        models.CheckConstraint(
            condition=models.Q(predicted="", is_passed=False) | (~models.Q(predicted="") & models.Q(error="")),
            name="%(class)s_is_answered_or_not",
        ),
    )
