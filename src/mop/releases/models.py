"""Downstream services, gates and how versions came out of them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from mop.accounts.validation import check_name
from mop.catalog.models import Task
from mop.registry.models import Revision
from mop.releases import release_models  # noqa: F401 - tables of this app, in a file of their own
from mop.releases.bundles import models as bundle_models  # noqa: F401 - as above
from mop.releases.gates.verdicts import Result

CONDITIONS_MAX = 20_000
SERVICE_NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9 ._-]*\Z", "Use letters, digits, spaces, ., _ and -, and begin with a letter or digit."
)


class ServiceKind(models.TextChoices):
    """What a downstream service is, and so what it needs of a release."""

    AACS = "AACS", "Azure AI Content Safety"
    RAIO = "RAIO", "RAI Orchestrator"


class Policy(models.TextChoices):
    """What a gate that does not pass does to a release request."""

    WARN = "warn", "warn: a service admin may approve with a reason"
    BLOCK = "block", "block: the request cannot be approved"


class Service(models.Model):
    """A downstream service: a consumer of released models."""

    name = models.CharField(max_length=100, unique=True, validators=[SERVICE_NAME])
    kind = models.CharField(max_length=8, choices=ServiceKind)
    description = models.TextField(blank=True)
    contact = models.CharField(max_length=200, blank=True, help_text="whom to ask: an address or a channel")
    policy = models.CharField(max_length=8, choices=Policy, default=Policy.BLOCK)
    admins = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="administered_services")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name that looks like another."""
        check_name(self.name)


class GateVersion(models.Model):
    """The conditions of a task or a service, as they were from one change to the next. The newest holds."""

    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.CASCADE, related_name="gate_versions")
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE, related_name="gate_versions")
    number = models.PositiveIntegerField(help_text="counts from 1")
    conditions = models.TextField(blank=True, max_length=CONDITIONS_MAX, help_text="as written; empty: no conditions")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(task__isnull=True) ^ models.Q(service__isnull=True),
                name="gate_belongs_to_a_task_or_a_service",
            ),
            models.UniqueConstraint(fields=("task", "number"), name="one_gate_per_task_and_number"),
            models.UniqueConstraint(fields=("service", "number"), name="one_gate_per_service_and_number"),
        )

    def __str__(self) -> str:
        return f"gate {self.number} of {self.task or self.service}"


class GateReport(models.Model):
    """How a version came out of its tasks' gates, for a service also of that service's, on one state of the evidence.

    The same state gives the same row, however often it is judged; `judged_at` is when that was last so.
    """

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="gate_reports")
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE, related_name="gate_reports")
    state_digest = models.CharField(max_length=64, help_text="of conditions and everything that was read")
    result = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Result])
    document = models.JSONField(help_text="see judging.GateDocument")
    created_at = models.DateTimeField(default=timezone.now)
    judged_at = models.DateTimeField(default=timezone.now)
    covers_until = models.DateTimeField(help_text="what ended until then is in it; later evidence is judged again")
    is_current = models.BooleanField(default=True)

    class Meta:
        ordering = ("-judged_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("revision", "service", "state_digest"),
                condition=models.Q(service__isnull=False),
                name="one_service_gate_report_per_state",
            ),
            models.UniqueConstraint(
                fields=("revision", "state_digest"),
                condition=models.Q(service__isnull=True),
                name="one_task_gate_report_per_state",
            ),
            models.UniqueConstraint(
                fields=("revision", "service"),
                condition=models.Q(is_current=True, service__isnull=False),
                name="one_current_service_gate_report",
            ),
            models.UniqueConstraint(
                fields=("revision",),
                condition=models.Q(is_current=True, service__isnull=True),
                name="one_current_task_gate_report",
            ),
        )

    def __str__(self) -> str:
        return f"gates of {self.revision_id}: {self.result}"
