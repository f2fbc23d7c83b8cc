"""Contract runs of revisions."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from mop.catalog.models import Task
from mop.contract_runs.states import CONTRACT_RUN_LIFECYCLE, ContractRunState
from mop.engine.models import DurableWork
from mop.registry.models import CUSTOMIZED_NAME_MAX, Revision

# sorted: sets would give each migration another order
_ENDS = tuple(sorted(CONTRACT_RUN_LIFECYCLE.final))
_LIVE = tuple(sorted(CONTRACT_RUN_LIFECYCLE.live))


class Subject(models.TextChoices):
    """What a contract run is about."""

    TASK = "task", "task"
    SAMPLE = "sample", "sample"


class ContractRun(DurableWork):
    """One run of a verified revision's model that proves the contract of a task, or with another sample post data.

    `contract_runs/advance.py` alone changes its state.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="contract_runs")
    subject = models.CharField(max_length=8, choices=Subject)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    customized_name = models.CharField(max_length=CUSTOMIZED_NAME_MAX, blank=True)
    sample = models.JSONField(null=True, blank=True, help_text="the sample post data to be; null: none")
    state = models.CharField(max_length=16, choices=ContractRunState, default=ContractRunState.QUEUED)
    warnings = models.JSONField(default=list, blank=True)
    note = models.CharField(max_length=300, blank=True, help_text="what it waits for")
    queue = models.CharField(max_length=100, help_text="the engine's queue on which it waits for a host")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(subject=Subject.TASK, task__isnull=False)
                | models.Q(subject=Subject.SAMPLE, task__isnull=True),
                name="contract_run_of_a_task_names_it",
            ),
            models.UniqueConstraint(
                fields=("revision", "task"),
                condition=models.Q(state__in=_LIVE, subject=Subject.TASK),
                name="one_live_contract_run_per_task",
            ),
            models.UniqueConstraint(
                fields=("revision",),
                condition=models.Q(state__in=_LIVE, subject=Subject.SAMPLE),
                name="one_live_contract_run_of_a_sample",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=_ENDS, ended_at__isnull=False)
                | (~models.Q(state__in=_ENDS) & models.Q(ended_at__isnull=True)),
                name="contract_run_ends_once",
            ),
        )
        indexes = (
            models.Index(fields=("state", "created_at"), name="contract_run_waiting"),
            models.Index(fields=("revision", "subject", "-created_at"), name="contract_run_newest"),
        )

    def __str__(self) -> str:
        what = f"task {self.task.name}" if self.task else "sample post data"
        return f"contract run of {self.revision} ({what})"

    def get_state(self) -> ContractRunState:
        return ContractRunState(self.state)

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work."""
        return f"contract-run:{self.pk}"
