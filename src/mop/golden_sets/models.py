"""Golden sets, their versions and rows, and the runs of versions of models on them.

The rows' content is given to the task owner who supplied it, and to the models' processes.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from mop.catalog.models import Task
from mop.evaluation.case_runs.models import CaseOutcome, CaseRun, constraints_of

NAME_MAX = 100
NAME_PATTERN = r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z"
NAME_RULE = "Use letters, digits, ., _ and -, and begin with a letter or digit; at most 100 of them."
NAME = RegexValidator(NAME_PATTERN, NAME_RULE)


class GoldenSet(models.Model):
    """A named set of rows of one task. Its newest version counts."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="golden_sets")
    name = models.CharField(max_length=NAME_MAX, validators=[NAME])
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("task", "name"), name="golden_set_named_once_in_a_task"),)

    def __str__(self) -> str:
        return self.name


class GoldenVersion(models.Model):
    """What one upload gave. It never changes; the next upload is the next version."""

    golden_set = models.ForeignKey(GoldenSet, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="counts from 1")
    is_newest = models.BooleanField(default=True, help_text="the one that counts")
    supplied_at = models.DateTimeField(default=timezone.now)
    supplied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", help_text="who alone may read the rows"
    )
    size = models.PositiveIntegerField(help_text="rows")
    digest = models.CharField(max_length=64, help_text="keyed: guesses cannot be tested")

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("golden_set", "number"), name="each_golden_version_once"),
            models.UniqueConstraint(
                fields=("golden_set",), condition=models.Q(is_newest=True), name="one_newest_golden_version"
            ),
            models.CheckConstraint(condition=models.Q(size__gt=0), name="golden_version_has_rows"),
        )

    def __str__(self) -> str:
        return f"{self.golden_set} version {self.number}"


class GoldenRow(models.Model):
    """One row: a MOP input and the label that is right."""

    version = models.ForeignKey(GoldenVersion, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="counts from 1, as in the file without its header")
    content = models.TextField(help_text="the MOP input as JSON")
    expected = models.TextField(help_text="label of the task")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("version", "number"), name="each_golden_row_once"),)

    def __str__(self) -> str:
        return f"row {self.number}"


class GoldenRun(CaseRun):
    """A version of a model on a version of a golden set. `golden_sets/advance.py` alone changes its state."""

    version = models.ForeignKey(GoldenVersion, on_delete=models.CASCADE, related_name="runs")

    class Meta(CaseRun.Meta):
        ordering = ("version__golden_set__name", "-version__number")
        constraints = [
            *CaseRun.Meta.constraints,
            models.UniqueConstraint(fields=("revision", "version"), name="one_run_per_revision_and_golden_version"),
        ]

    def __str__(self) -> str:
        return f"run of {self.revision} on golden set {self.version}"


class GoldenOutcome(CaseOutcome):
    """How one row came out."""

    run = models.ForeignKey(GoldenRun, on_delete=models.CASCADE, related_name="outcomes")
    number = models.PositiveIntegerField(help_text="of the row")

    class Meta:
        ordering = ("number",)
        constraints = constraints_of("number")

    def __str__(self) -> str:
        return f"row {self.number} of {self.run_id}"
