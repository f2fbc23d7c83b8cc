"""Evaluation datasets: files, their readings, datasets of one label column each, bindings to tasks.

No column holds what stands in a file, but for labels of tasks, values of slices and counts. The rows are in the
artifact store alone.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from mop.accounts.models import Team
from mop.catalog.models import Modality, Task
from mop.datasets.reading.spec import LabelType as Kind
from mop.datasets.states import BindingState, DatasetStatus
from mop.engine.models import DurableWork

DATASET_NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Start with a letter or digit; use letters, digits, dots, _ and - only."
)
LANGUAGE = RegexValidator(
    r"\A[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z", "Write a language tag, such as en, de or pt-BR; mul for several."
)
NAME_MAX, URL_MAX, HEADER_MAX, LANGUAGE_MAX = 100, 2000, 100, 35


class SourceType(models.TextChoices):
    """Where a dataset's folder lies."""

    BLOB = "Blob", "Blob"


class LabelType(models.TextChoices):
    """What the values of a label column mean."""

    BINARY = Kind.BINARY.value, "Binary"
    MULTI_LABEL = Kind.MULTI_LABEL.value, "Multi-label"
    ORDINAL = Kind.ORDINAL.value, "Ordinal"


class DatasetFile(models.Model):
    """A file that makes one dataset or several, as its form names it."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="dataset_files")
    modality = models.CharField(max_length=16, choices=Modality)
    source_type = models.CharField(max_length=8, choices=SourceType, default=SourceType.BLOB)
    url = models.CharField(max_length=URL_MAX, help_text="of the folder that holds dataset.csv")
    language = models.CharField(max_length=LANGUAGE_MAX, blank=True, validators=[LANGUAGE])
    group_columns = models.JSONField(default=list, blank=True)
    language_column = models.CharField(max_length=HEADER_MAX, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.url


class Reading(models.Model):
    """One reading of a file, for the datasets that wait for it: a snapshot that never changes, and its verification."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(DatasetFile, on_delete=models.CASCADE, related_name="readings")
    host = models.CharField(max_length=100, blank=True, help_text="worker that reads it; empty while it waits")
    tries = models.PositiveIntegerField(default=1, help_text="counts tries; an answer to an earlier try is refused")
    failed_at = models.JSONField(default=list, blank=True, help_text="when tries failed for causes outside, as counted")
    waits_for = models.JSONField(null=True, blank=True, help_text="the cause outside for which it is tried again")
    retry_at = models.DateTimeField(null=True, blank=True)
    progress = models.JSONField(null=True, blank=True, help_text="stage, done and total in bytes")
    artifact_digest = models.CharField(max_length=64, blank=True, help_text="of the snapshot")
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="of dataset.csv; never shown: guesses could be tested"
    )
    size = models.PositiveBigIntegerField(null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="keyed digest of dataset.csv, which is shown")
    rows_artifact_digest = models.CharField(
        max_length=64, blank=True, help_text="artifact with keyed digests of the rows' inputs"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=("host", "created_at"), name="dataset_reading_waiting"),)

    def __str__(self) -> str:
        return f"reading {self.pk}"

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work."""
        return f"dataset-reading:{self.pk}:{self.tries}"


class Dataset(DurableWork):
    """One label column of a hidden file. `datasets/advance.py` alone changes its status."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=NAME_MAX, unique=True, validators=[DATASET_NAME])
    description = models.TextField(blank=True)
    file = models.ForeignKey(DatasetFile, on_delete=models.PROTECT, related_name="datasets")
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="datasets")
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="owned_datasets")
    label_header = models.CharField(max_length=HEADER_MAX)
    label_type = models.CharField(max_length=16, choices=LabelType)
    label_size = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=DatasetStatus, default=DatasetStatus.CREATED)
    status_changed_at = models.DateTimeField(default=timezone.now)
    attempt = models.PositiveIntegerField(default=1)
    rows = models.PositiveBigIntegerField(null=True, blank=True, help_text="samples; known once it was read")
    faults = models.JSONField(default=list, blank=True, help_text="kind, column, count and first rows of each")
    warnings = models.JSONField(default=list, blank=True, help_text="the same of what does not decide")
    labels = models.JSONField(default=list, blank=True, help_text="label (empty: withheld), its keyed digest and count")
    slices = models.JSONField(default=dict, blank=True, help_text="different values of group and language columns")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("file", "label_header"), name="one_dataset_per_file_and_label_column"),
        )
        indexes = (models.Index(fields=("status", "name"), name="dataset_status"),)

    def __str__(self) -> str:
        return self.name

    def get_status(self) -> DatasetStatus:
        """The status as its enum."""
        return DatasetStatus(self.status)

    @property
    def path(self) -> str:
        """The url of the file."""
        return f"{self.file.url.rstrip('/')}/dataset.csv"

    def label_ratio(self) -> list[dict[str, Any]]:
        """Label, count and share of all rows, most frequent first; a label is empty until a task tells its name."""
        total = sum(one["count"] for one in self.labels)
        return [
            {"label": one["label"], "count": one["count"], "ratio": one["count"] / total if total else 0.0}
            for one in self.labels
        ]


class Binding(models.Model):
    """A dataset that asks to be used for a task, and what an owner of the task decided."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="bindings")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="dataset_bindings")
    state = models.CharField(max_length=16, choices=BindingState, default=BindingState.REQUESTED)
    requested_at = models.DateTimeField(default=timezone.now)
    requested_by_label = models.CharField(max_length=200)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_label = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ("requested_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("dataset", "task"), name="one_binding_per_dataset_and_task"),
            models.CheckConstraint(
                condition=models.Q(state=BindingState.REQUESTED, decided_at__isnull=True)
                | (~models.Q(state=BindingState.REQUESTED) & models.Q(decided_at__isnull=False)),
                name="binding_is_decided_once_it_is_not_requested",
            ),
        )
        indexes = (models.Index(fields=("task", "state"), name="binding_of_task"),)

    def __str__(self) -> str:
        return f"{self.dataset} for {self.task}"

    def get_state(self) -> BindingState:
        """The state as its enum."""
        return BindingState(self.state)


class SharedRows(models.Model):
    """How many inputs two readings have in common, where they are at least as many as may be told."""

    one = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="+")
    count = models.PositiveBigIntegerField()

    class Meta:
        ordering = ("-count", "id")
        constraints = (models.UniqueConstraint(fields=("one", "other"), name="readings_are_compared_once"),)

    def __str__(self) -> str:
        return f"{self.count} rows of {self.one_id} and {self.other_id}"
