"""Logs of revisions (of their onboarding and load tests), and what a version was proved with."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from mop.catalog.models import Modality, Task
from mop.registry.models import CUSTOMIZED_NAME_MAX, Revision


class LogKind(models.TextChoices):
    """Which log of a revision a line belongs to."""

    BUILD = "build", "Build log"
    DEPLOYMENT = "deployment", "Deployment log"
    LOAD_TEST = "load-test", "Load test log"


class LogLine(models.Model):
    """One line of a log of a revision, numbered from 1."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="log_lines")
    kind = models.CharField(max_length=12, choices=LogKind)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("revision", "kind", "number"), name="log_line_number_unique"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class TaskProof(models.Model):
    """A version answered by the contract of a task, under this name of its taxonomy.

    It stays when the task is disconnected: a version's files never change, nor do a task's labels.
    """

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="task_proofs")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+")
    customized_name = models.CharField(max_length=CUSTOMIZED_NAME_MAX)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("revision", "task", "customized_name"), name="one_proof_per_revision_task_and_name"
            ),
        )

    def __str__(self) -> str:
        return f"{self.revision_id}: {self.task_id} as {self.customized_name}"


class ConverterProof(models.Model):
    """How the converters of a version for Azure AI Content Safety came out on a real request of a modality."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="converter_proofs")
    modality = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in (Modality.TEXT, Modality.IMAGE)]
    )
    is_proved = models.BooleanField()
    reason = models.TextField(blank=True, help_text="why not")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("revision", "modality"), name="one_converter_proof_per_modality"),
        )

    def __str__(self) -> str:
        return f"{self.revision_id}: {self.modality} {'proved' if self.is_proved else 'not proved'}"
