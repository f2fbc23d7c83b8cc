"""DSAT cases, what they hold, what finds them, and who may read it.

Content is personal data. It stands in `CaseContent` alone; what is derived from it (signature, terms) refers to the
case and goes with it. So does every row of an area above that refers to a case with CASCADE.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from mop.accounts.models import Team
from mop.catalog.models import Task
from mop.dsat.states import CaseState, ImportState
from mop.engine.models import DurableWork
from mop.registry.models import Revision

LABEL_MAX, TRACE_ID_MAX, SERVICE_MAX, DESCRIPTION_MAX, COMMENT_MAX = 100, 200, 100, 4000, 4000
TAGS_MAX, TAG_MAX = 20, 50


class Kind(models.TextChoices):
    """How the service was wrong."""

    FALSE_POSITIVE = "falsePositive", "false positive"
    FALSE_NEGATIVE = "falseNegative", "false negative"


class Case(DurableWork):
    """One dissatisfaction case. `dsat/advance.py` alone changes its state."""

    id = models.BigAutoField(primary_key=True)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="dsat_cases", db_index=False)
    submitter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="dsat_cases"
    )
    service = models.CharField(max_length=SERVICE_MAX, blank=True, help_text="downstream service that it comes from")
    expected_label = models.CharField(max_length=LABEL_MAX, blank=True)
    predicted_label = models.CharField(max_length=LABEL_MAX, blank=True, help_text="that the service gave")
    kind = models.CharField(max_length=16, choices=Kind, blank=True)
    trace_id = models.CharField(max_length=TRACE_ID_MAX, blank=True)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="assigned_dsat_cases",
        db_index=False,
    )
    is_restricted = models.BooleanField(default=False, help_text="submitter and assignee alone read the content")
    state = models.CharField(max_length=16, choices=CaseState, default=CaseState.OPEN)
    state_changed_at = models.DateTimeField(default=timezone.now)
    attempt = models.PositiveIntegerField(default=1, help_text="counts how often it was opened")
    edition = models.PositiveIntegerField(default=1, help_text="counts changes of what decides whether a model passes")
    fixed_by = models.ForeignKey(Revision, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(max_length=64, blank=True, help_text="keyed digest of the file that it was imported from")
    source_row = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now, help_text="when anything of it last changed")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(submitter__isnull=False) | ~Q(service=""), name="dsat_case_comes_from_somebody"
            ),
            models.CheckConstraint(condition=~Q(expected_label="") | ~Q(kind=""), name="dsat_case_says_what_is_right"),
            models.UniqueConstraint(
                fields=("source", "source_row"), condition=~Q(source=""), name="one_dsat_case_per_row_of_a_file"
            ),
        )
        indexes = (
            models.Index(fields=("task", "state", "id"), name="dsat_case_of_task"),
            models.Index(fields=("task", "id"), name="dsat_case_of_task_newest"),
            models.Index(fields=("state", "id"), name="dsat_case_state"),
            models.Index(fields=("assignee", "id"), name="dsat_case_assignee", condition=Q(assignee__isnull=False)),
            models.Index(fields=("state", "id"), name="dsat_case_unassigned", condition=Q(assignee__isnull=True)),
            models.Index(fields=("service", "id"), name="dsat_case_service", condition=~Q(service="")),
            models.Index(fields=("changed_at",), name="dsat_case_changed"),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The name that people use."""
        return f"DSAT-{self.pk}"

    def get_state(self) -> CaseState:
        """The state as its enum."""
        return CaseState(self.state)

    @property
    def reporter(self) -> str:
        """Who brought the case: a person, or a service with its own token."""
        return self.submitter.username if self.submitter else self.service


class CaseContent(models.Model):
    """What the service was asked, and the signature by which near duplicates are found."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="content")
    body = models.BinaryField(help_text="one model item as JSON")
    signature = models.BinaryField(help_text="MinHash, 32-bit numbers")
    signature_version = models.PositiveSmallIntegerField(help_text="signatures of different versions do not compare")
    terms = models.BinaryField(help_text="its terms in the index, 64-bit numbers: deletion finds them there")

    def __str__(self) -> str:
        return f"content of {self.case_id}"


class CaseTerm(models.Model):
    """The index of cases: a keyed digest of a word, a tag or a band of the signature, and a case that has it.

    It has 30 rows for each case, so it is one tree alone: no constraint that looks the case up, no index by cases. What
    a case has here stands in `CaseContent.terms`, by which `store.forget_terms` deletes it.
    """

    pk = models.CompositePrimaryKey("term", "case_id")
    term = models.BigIntegerField()
    case = models.ForeignKey(
        Case, on_delete=models.DO_NOTHING, related_name="terms", db_constraint=False, db_index=False
    )

    def __str__(self) -> str:
        return f"term of {self.case_id}"


class Comment(models.Model):
    """What somebody who may read the content said about a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"comment on {self.case_id}"


class ContentGrant(models.Model):
    """A team that an owner of the task lets read the content of its cases, or an administrator who took the right."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="dsat_grants")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="dsat_grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="dsat_grants"
    )
    granted_by_label = models.CharField(max_length=200)
    granted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("granted_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(team__isnull=False, user__isnull=True) | Q(team__isnull=True, user__isnull=False),
                name="dsat_grant_is_for_a_team_or_a_person",
            ),
            models.UniqueConstraint(fields=("task", "team"), name="one_dsat_grant_per_task_and_team"),
            models.UniqueConstraint(fields=("task", "user"), name="one_dsat_grant_per_task_and_person"),
        )

    def __str__(self) -> str:
        return f"{self.team or self.user} for {self.task}"


class Import(DurableWork):
    """A file whose rows become cases. Its bytes are kept until it ended. `dsat/advance.py` alone changes its state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="dsat_imports")
    submitter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="dsat_imports")
    service = models.CharField(max_length=SERVICE_MAX, blank=True)
    is_restricted = models.BooleanField(default=False)
    file_name = models.CharField(max_length=255)
    format = models.CharField(max_length=8)
    size = models.PositiveBigIntegerField(help_text="bytes of the file")
    source = models.CharField(max_length=64, blank=True, help_text="keyed digest of task, submitter and file")
    state = models.CharField(max_length=16, choices=ImportState, default=ImportState.UPLOADING)
    state_changed_at = models.DateTimeField(default=timezone.now)
    position = models.JSONField(null=True, blank=True, help_text="where the next chunk begins")
    done_bytes = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0, help_text="read so far")
    added = models.PositiveBigIntegerField(default=0)
    known = models.PositiveBigIntegerField(default=0, help_text="rows that an earlier import of the same file added")
    refused = models.PositiveBigIntegerField(default=0)
    faults = models.JSONField(default=list, blank=True, help_text="row, column and reason of the first refused rows")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("submitter", "-created_at"), name="dsat_import_of_submitter"),)

    def __str__(self) -> str:
        return f"import {str(self.pk)[:8]}"

    def get_state(self) -> ImportState:
        """The state as its enum."""
        return ImportState(self.state)

    @property
    def percent(self) -> int:
        """How much of the file was read."""
        return int(100 * self.done_bytes // self.size) if self.size else 100


class ImportPart(models.Model):
    """A part of an imported file, as long as the import needs it."""

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("of", "number"), name="one_dsat_import_part_per_number"),)

    def __str__(self) -> str:
        return f"part {self.number} of {self.of_id}"


def item_of(content: CaseContent) -> Any:
    """The stored item as Python data."""
    import orjson  # noqa: PLC0415 - where content is read alone

    return orjson.loads(bytes(content.body))
