"""What people were told, e-mails and webhooks that carry it, what they want to be told, what the operator must fix."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.areas.words import NotificationKind
from mop.notifications.email_states import EmailState
from mop.notifications.kinds import kind_label, kind_of
from mop.notifications.webhook_hosts import URL_MAX
from mop.notifications.webhook_states import DeliveryState

TITLE_MAX, REASON_MAX, HINT_MAX = 200, 1000, 500
KIND_MAX = 64
DESCRIPTION_MAX = 200


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


class Webhook(models.Model):
    """A url that is told of events.

    It belongs to a person (`user`), to a team (`team`; `user` is the member in whose name it is sent), or to an object
    of an area above (`owner_type`, `owner_id`), whose services look after it. `kinds` are those that it is told of;
    None: every kind. Secrets are kept encrypted.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks"
    )
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks")
    owner_type = models.CharField(max_length=32, blank=True)
    owner_id = models.BigIntegerField(null=True, blank=True)
    url = models.CharField(max_length=URL_MAX)
    description = models.CharField(max_length=DESCRIPTION_MAX, blank=True)
    kinds = models.JSONField(null=True, blank=True)
    secret = models.CharField(max_length=300, editable=False)
    former_secret = models.CharField(max_length=300, blank=True, editable=False)
    former_until = models.DateTimeField(null=True, blank=True, help_text="until then messages are signed by both")
    created_at = models.DateTimeField(default=timezone.now)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="the first failure after the last success")
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, owner_type="")
                | models.Q(user=None, team=None, owner_id__isnull=False) & ~models.Q(owner_type=""),
                name="webhook_of_a_person_a_team_or_an_object",
            ),
        )
        indexes = (models.Index(fields=("owner_type", "owner_id"), name="webhooks_of_object"),)

    def __str__(self) -> str:
        return self.description or self.url

    def wants(self, kind: str) -> bool:
        """Whether it is told of a kind."""
        return self.disabled_at is None and (self.kinds is None or kind in self.kinds)


class Delivery(models.Model):
    """One message to one webhook: the same id and the same body whenever it is sent."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=200)
    kind = models.CharField(max_length=KIND_MAX)
    body = models.TextField()
    scope_type = models.CharField(max_length=16, blank=True)
    scope_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now, help_text="not sent before; while it is sent, the claim's end")
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, help_text="why it did not arrive the last time")

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (models.UniqueConstraint(fields=("webhook", "event"), name="one_delivery_per_webhook_and_event"),)
        indexes = (
            models.Index(fields=("next_at",), condition=models.Q(state="queued"), name="deliveries_to_send"),
            models.Index(fields=("webhook", "-created_at", "-id"), name="deliveries_of_webhook"),
            models.Index(fields=("scope_type", "scope_id"), name="deliveries_by_scope"),
            models.Index(fields=("created_at",), name="deliveries_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.message_id} ({self.state})"

    @property
    def kind_label(self) -> str:
        """What it tells, in words."""
        return kind_label(self.kind)

    @property
    def message_id(self) -> str:
        """The header `webhook-id`."""
        return f"msg_{self.key.hex}"


class DeliveryAttempt(models.Model):
    """One try of a delivery. What the receiver answered is not kept, but for its status."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField()
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status; none without an answer")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status or self.error}"
