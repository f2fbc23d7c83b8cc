"""What people were told, the e-mails that carry it, what they want to be told, and what the operator must fix."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.areas.words import NotificationKind
from mop.notifications.email_states import EmailState
from mop.notifications.kinds import kind_of

TITLE_MAX, REASON_MAX, HINT_MAX = 200, 1000, 500
KIND_MAX = 64


class Notification(models.Model):
    """One person told of one event.

    `event` names what happened; with the person it is unique, so that nothing is told twice. `scope_type` and
    `scope_id` name what the person must still be allowed to see (empty: it is about themselves).
    """

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    event = models.CharField(max_length=200)
    kind = models.CharField(max_length=KIND_MAX)
    title = models.CharField(max_length=TITLE_MAX)
    reason = models.CharField(max_length=REASON_MAX, blank=True)
    hint = models.CharField(max_length=HINT_MAX, blank=True)
    link = models.CharField(max_length=500, help_text="path in the portal")
    scope_type = models.CharField(max_length=16, blank=True)
    scope_id = models.BigIntegerField(null=True, blank=True)
    in_portal = models.BooleanField(default=True, help_text="false: the person wants this kind by e-mail alone")
    # written by Python: SQLite's own clock keeps milliseconds in another text form, which keyset paging would misread
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (models.UniqueConstraint(fields=("event", "recipient"), name="told_once_per_event_and_person"),)
        indexes = (
            models.Index(fields=("recipient", "-created_at", "-id"), name="notifications_of_person"),
            models.Index(fields=("recipient",), condition=models.Q(read_at=None), name="unread_of_person"),
            models.Index(fields=("scope_type", "scope_id"), name="notifications_by_scope"),
        )

    def __str__(self) -> str:
        return f"{self.recipient}: {self.title}"

    def get_kind(self) -> NotificationKind:
        """The kind as its area declares it."""
        return kind_of(self.kind)


class Email(models.Model):
    """The outbox: one e-mail of one notification. `key` makes its Message-ID, the same whenever it is sent again."""

    notification = models.OneToOneField(Notification, on_delete=models.CASCADE, related_name="email")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=8, choices=EmailState, default=EmailState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now, help_text="not sent before; while it is sent, the claim's end")
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, help_text="why it was not sent the last time")

    class Meta:
        indexes = (models.Index(fields=("next_at",), condition=models.Q(state="queued"), name="emails_to_send"),)

    def __str__(self) -> str:
        return f"{self.notification} ({self.state})"


class Preference(models.Model):
    """What a person wants of one kind; without a row they are told in the portal and by e-mail."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=KIND_MAX)
    in_portal = models.BooleanField(default=True)
    by_email = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "kind"), name="one_preference_per_user_and_kind"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class Alert(models.Model):
    """Something that the operator must fix. One cause has one open alert, which counts how often it came."""

    cause = models.CharField(max_length=64, help_text="digest of the fault's name and hint")
    fault = models.CharField(max_length=64, help_text="the catalogue error's name")
    title = models.CharField(max_length=TITLE_MAX)
    message = models.CharField(max_length=REASON_MAX, help_text="of the last time")
    hint = models.CharField(max_length=HINT_MAX, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-last_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("cause",), condition=models.Q(closed_at=None), name="one_open_alert_per_cause"
            ),
        )

    def __str__(self) -> str:
        return f"{self.fault} ({self.count})"
