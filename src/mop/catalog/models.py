"""Taxonomies, tasks and instance types: what administrators define."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from mop.accounts.models import Team
from mop.accounts.validation import check_name

SINGLE_HOST_QUEUE = "instance:any"
LABELS_MIN, LABELS_MAX, ORDINAL_LABELS_MIN = 2, 20, 3


class Modality(models.TextChoices):
    """What a task's samples are."""

    TEXT = "Text", "Text"
    IMAGE = "Image", "Image"
    IMAGE_AND_TEXT = "ImageAndText", "ImageAndText"


class LabelType(models.TextChoices):
    """Whether a task's labels exclude each other without order, or ascend."""

    CATEGORICAL = "Categorical", "Categorical"
    ORDINAL = "Ordinal", "Ordinal"


def _is_new(row: models.Model) -> bool:
    """Whether it is not stored yet: what never changes is checked then, and what an earlier MOP let in stays."""
    return row._state.adding  # noqa: SLF001 - public in Django's documentation


class Taxonomy(models.Model):
    """A category of harm or behaviour, such as Hate."""

    name = models.CharField(max_length=64, unique=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "taxonomies"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check the name of a new one; it never changes."""
        if _is_new(self):
            check_name(self.name)


def validate_labels(labels: object, label_type: str) -> list[str]:
    """The labels of a task, in ascending order for Ordinal.

    Raises:
        ValidationError: not 2 to 20 (Ordinal: 3 to 20) distinct, non-empty texts.
    """
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise ValidationError("Labels are a list of non-empty texts.")
    if any(not label.isprintable() or label != label.strip() for label in labels):
        # a dataset's cell has one line, and of two labels that look the same only one is what a model gives
        raise ValidationError("A label is one line of printable characters, with no blank at either end.")
    if len(set(labels)) != len(labels):
        raise ValidationError("Labels must differ from each other.")
    least = ORDINAL_LABELS_MIN if label_type == LabelType.ORDINAL else LABELS_MIN
    if not least <= len(labels) <= LABELS_MAX:
        raise ValidationError(
            f"A task of label type {label_type} has {least} to {LABELS_MAX} labels, not {len(labels)}."
        )
    return labels


class Task(models.Model):
    """What a model resolves: one taxonomy, one modality, ordered labels."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="tasks")
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="owned_tasks", blank=True)
    modality = models.CharField(max_length=16, choices=Modality)
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="tasks")
    label_type = models.CharField(max_length=16, choices=LabelType)
    labels = models.JSONField(help_text="ordered list of label texts, ascending for Ordinal")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check name and labels of a new one; they never change."""
        if not _is_new(self):
            return
        problems: dict[str, list[str]] = {}
        try:
            check_name(self.name)
        except ValidationError as error:
            problems.update(error.message_dict)
        try:
            validate_labels(self.labels, self.label_type)
        except ValidationError as error:
            problems["labels"] = error.messages
        if problems:
            raise ValidationError(problems)


class InstanceType(models.Model):
    """A machine size that a model asks for, named as Azure names it."""

    name = models.CharField(max_length=64, unique=True)
    vcpus = models.PositiveSmallIntegerField()
    memory_gib = models.FloatField()
    gpus = models.PositiveSmallIntegerField(default=0)
    gpu_name = models.CharField(max_length=64, blank=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ("gpus", "vcpus", "memory_gib", "name")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(vcpus__gt=0, memory_gib__gt=0), name="instance_type_has_cpu_and_memory"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Check the name of a new one; it never changes."""
        if _is_new(self):
            check_name(self.name)

    @property
    def queue_name(self) -> str:
        """The engine's queue on which work for this type waits for a host.

        An embedded installation has one host, so one queue serves every type without a GPU.
        """
        if settings.MOP_SINGLE_HOST and not self.gpus:
            return SINGLE_HOST_QUEUE
        return f"instance:{self.name}"

    @property
    def memory_bytes(self) -> int:
        return int(self.memory_gib * 1024**3)
