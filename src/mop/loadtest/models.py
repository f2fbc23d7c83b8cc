"""Load tests of revisions and their steps."""

from __future__ import annotations

import functools
import uuid

from django.db import models
from django.utils import timezone

from mop.catalog.models import Modality
from mop.engine.models import DurableWork
from mop.loadtest.conditions import Conditions
from mop.loadtest.plan import Plan
from mop.loadtest.reading import read
from mop.loadtest.results import Progress, StepResult
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState
from mop.registry.models import Revision
from mop.serving_options import OPTIONS, LoadTestOption

_ENDS = tuple(sorted(LOAD_TEST_LIFECYCLE.final))  # a set would give each migration another order


class LoadTest(DurableWork):
    """One load test of a revision: of one modality, in one run. `loadtest/advance.py` alone changes its state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="load_tests")
    run = models.PositiveIntegerField(help_text="counts from 1; one run has a test for each modality")
    modality = models.CharField(max_length=16, choices=Modality)
    option = models.CharField(max_length=16, choices=OPTIONS["load_test_option"].choices)
    plan = models.JSONField(help_text="targets, duration_s, warm_up_s, timeout_s, budget_s, seed, arrivals")
    state = models.CharField(max_length=16, choices=LoadTestState, default=LoadTestState.QUEUED)
    ended = models.CharField(max_length=16, blank=True, help_text="why there is no further step")
    conditions = models.JSONField(default=dict, blank=True, help_text="under which it was measured")
    progress = models.JSONField(null=True, blank=True, help_text="the step that runs, about once a second")
    note = models.CharField(max_length=300, blank=True, help_text="what it waits for, or does besides measuring")
    queue = models.CharField(max_length=100, help_text="the engine's queue on which it waits for a host")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("run", "modality")
        constraints = (
            models.UniqueConstraint(fields=("revision", "run", "modality"), name="one_load_test_a_run_and_modality"),
            models.CheckConstraint(
                condition=~models.Q(option=LoadTestOption.OFF) & models.Q(run__gte=1), name="load_test_has_an_option"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=_ENDS, ended_at__isnull=False)
                | (~models.Q(state__in=_ENDS) & models.Q(ended_at__isnull=True)),
                name="load_test_ends_once",
            ),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="load_test_waiting"),)

    def __str__(self) -> str:
        return f"load test {self.run} of {self.revision} ({self.modality})"

    def get_state(self) -> LoadTestState:
        return LoadTestState(self.state)

    def get_plan(self) -> Plan:
        return Plan.from_dict(self.plan)

    def get_conditions(self) -> Conditions | None:
        """The conditions as their type; None until the service is ready."""
        return read(Conditions, self.conditions) if self.conditions else None

    def get_progress(self) -> Progress | None:
        """The progress as its type; None where no step runs."""
        return Progress.from_dict(self.progress) if self.progress else None

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work."""
        return f"load-test:{self.pk}"


class LoadTestStep(models.Model):
    """One step that ended, as the generator measured it. `result` is a StepResult's dictionary."""

    test = models.ForeignKey(LoadTest, on_delete=models.CASCADE, related_name="steps")
    target = models.PositiveIntegerField(help_text="requests a second, or clients")
    result = models.JSONField()
    seconds = models.FloatField(help_text="that it took of the budget")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("target",)
        # a step that is repeated after a crash stands once
        constraints = (models.UniqueConstraint(fields=("test", "target"), name="each_step_once_per_load_test"),)

    def __str__(self) -> str:
        return f"{self.test_id} {self.target}"

    @functools.cached_property
    def measured(self) -> StepResult:
        return StepResult.from_dict(self.result)
