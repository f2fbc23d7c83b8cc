"""Releases, what is live of them, and the tokens of downstream services."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.catalog.models import Modality, Task, Taxonomy
from mop.registry.models import CUSTOMIZED_NAME_MAX, VERSION_MAX, Revision
from mop.releases.release_states import EVENT_LABELS, HOLDING, PeriodEnd, ReleaseState, WentLive

COMMENT_MAX = 4000
SHARE_MIN, SHARE_MAX = 1, 99


class Release(models.Model):
    """One version offered to one downstream service for some of its tasks, with its evidence.

    Its number is its primary key. `requests/moving.py` alone changes its state. Names and digests are copies, so that
    the record still says what it was when the version is deleted.
    """

    service = models.ForeignKey("releases.Service", on_delete=models.PROTECT, related_name="releases")
    # a version may be deleted once its release has ended or before it is decided; the constraint below keeps the rest
    revision = models.ForeignKey(Revision, null=True, on_delete=models.SET_NULL, related_name="releases")
    model_name = models.CharField(max_length=100)
    version = models.CharField(max_length=VERSION_MAX)
    artifact_digest = models.CharField(max_length=64, blank=True)

    state = models.CharField(max_length=12, choices=ReleaseState, default=ReleaseState.REQUESTED)
    state_changed_at = models.DateTimeField(default=timezone.now)
    requested_at = models.DateTimeField(default=timezone.now)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    comment = models.TextField(blank=True, max_length=COMMENT_MAX, help_text="the requester's")
    owners_at_request = models.JSONField(
        default=list, help_text="ids of the model's owners then: giving up ownership does not let one approve"
    )

    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_comment = models.TextField(blank=True, max_length=COMMENT_MAX)
    is_self_approved = models.BooleanField(
        default=False, help_text="by the requester or an owner, as the only admin; the installation allows it"
    )

    is_held = models.BooleanField(
        default=False, help_text="its canary ended: an admin takes it live or withdraws it, the gateway does not"
    )

    # frozen: see requests/evidence.py
    evidence_at_request = models.JSONField(default=dict)
    evidence_at_decision = models.JSONField(null=True, blank=True)
    evidence_digest = models.CharField(max_length=64, help_text="of the evidence at decision, before that at request")

    went_live = models.CharField(max_length=16, choices=WentLive, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_comment = models.TextField(blank=True, max_length=COMMENT_MAX)
    restores = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="which roll back returned"
    )
    rolled_back_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="rolled_back_to"
    )

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(state__in=HOLDING) | models.Q(revision__isnull=False),
                name="release_in_use_has_its_version",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at__isnull=True, decided_by__isnull=True)
                | models.Q(decided_at__isnull=False, decided_by__isnull=False),
                name="release_decided_by_somebody",
            ),
        )
        indexes = (
            models.Index(fields=("service", "state"), name="release_of_service"),
            models.Index(fields=("state", "-id"), name="release_states"),
        )

    def __str__(self) -> str:
        return f"release {self.pk} ({self.model_name} {self.version})"

    def get_state(self) -> ReleaseState:
        return ReleaseState(self.state)


class ReleaseTask(models.Model):
    """One task that a release is for. A release for fewer than the connected ones replaces only those."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="tasks")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="+")
    modality = models.CharField(max_length=16, choices=Modality)
    customized_name = models.CharField(max_length=CUSTOMIZED_NAME_MAX, help_text="of the taxonomy in the output")

    class Meta:
        ordering = ("taxonomy__name",)
        constraints = (
            models.UniqueConstraint(fields=("release", "taxonomy"), name="one_task_per_release_and_taxonomy"),
        )

    def __str__(self) -> str:
        return f"{self.taxonomy}, {self.modality}"

    @property
    def slot(self) -> tuple[int, str]:
        """The slot of the service that it fills: taxonomy's id and modality."""
        return self.taxonomy_id, self.modality


class LiveSlot(models.Model):
    """What is live for a taxonomy and modality of a service, and the canary beside it. No row: nothing is live."""

    service = models.ForeignKey("releases.Service", on_delete=models.PROTECT, related_name="slots")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="+")
    modality = models.CharField(max_length=16, choices=Modality)
    live = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="live_slots")
    live_since = models.DateTimeField(default=timezone.now)
    canary = models.ForeignKey(Release, null=True, blank=True, on_delete=models.PROTECT, related_name="canary_slots")
    canary_share = models.PositiveSmallIntegerField(null=True, blank=True, help_text="per cent of the requests")
    canary_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("taxonomy__name", "modality")
        constraints = (
            models.UniqueConstraint(
                fields=("service", "taxonomy", "modality"), name="one_live_release_per_service_taxonomy_and_modality"
            ),
            models.CheckConstraint(
                condition=models.Q(canary__isnull=True, canary_share__isnull=True, canary_since__isnull=True)
                | models.Q(
                    canary__isnull=False,
                    canary_since__isnull=False,
                    canary_share__gte=SHARE_MIN,
                    canary_share__lte=SHARE_MAX,
                ),
                name="canary_has_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(canary__isnull=True) | ~models.Q(canary=models.F("live")),
                name="canary_is_another_release",
            ),
        )

    def __str__(self) -> str:
        return f"{self.taxonomy}, {self.modality}"


class SlotPeriod(models.Model):
    """From when to when a release was live in a slot. Rows are kept; the one without an end is the slot's."""

    service = models.ForeignKey("releases.Service", on_delete=models.PROTECT, related_name="periods")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="+")
    modality = models.CharField(max_length=16, choices=Modality)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="periods")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=12, choices=PeriodEnd, blank=True)

    class Meta:
        ordering = ("taxonomy__name", "modality", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("service", "taxonomy", "modality"),
                condition=models.Q(ended_at__isnull=True),
                name="one_open_period_per_slot",
            ),
        )
        indexes = (models.Index(fields=("service", "-began_at"), name="periods_of_service"),)

    def __str__(self) -> str:
        return f"{self.release_id} in {self.taxonomy_id}, {self.modality}"


class ReleaseEvent(models.Model):
    """What happened to a release, for the timelines of release and service."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="events")
    what = models.CharField(max_length=40, help_text="a state, or canaryStarted, canaryChanged, canaryEnded")
    at = models.DateTimeField(default=timezone.now)
    actor_label = models.CharField(max_length=200)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.release_id} {self.what}"

    @property
    def label(self) -> str:
        """What happened, in words."""
        return EVENT_LABELS.get(self.what, self.what)


class ServiceScope(models.TextChoices):
    """What a token of a downstream service may do, for its own service alone."""

    READ_BUNDLE = "bundle:read", "read its releases and their bundles"
    ACKNOWLEDGE = "release:acknowledge", "acknowledge an approved release"
    REPORT_CASES = "case:report", "report DSAT cases"


class ServiceToken(models.Model):
    """A secret of a downstream service, not of a person: shown once, stored as a SHA-256."""

    service = models.ForeignKey("releases.Service", on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False, help_text="first characters, to tell tokens apart")
    scopes = models.JSONField(default=list, help_text="values of ServiceScope")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} of {self.service}"

    @property
    def scopes_label(self) -> str:
        """What it may do, in words."""
        labels = dict(ServiceScope.choices)
        return "; ".join(str(labels.get(scope, scope)) for scope in self.scopes)

    def is_valid_at(self, now: dt.datetime) -> bool:
        """Whether it works then."""
        return self.revoked_at is None and self.expires_at > now
