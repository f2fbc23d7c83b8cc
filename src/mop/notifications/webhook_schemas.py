"""What the API takes and gives of webhooks."""

from __future__ import annotations

import datetime as dt

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.notifications.models import DESCRIPTION_MAX, Delivery, Webhook
from mop.notifications.webhook_hosts import URL_MAX
from mop.notifications.webhook_states import DeliveryState

KINDS = "Kinds that it is told of, as GET /notifications names them; null: every kind, also those that come later."


class WebhookIn(InputSchema):
    """A webhook to add."""

    url: str = Field(min_length=1, max_length=URL_MAX, examples=["https://hooks.example.com/mop"])
    team: str | None = Field(None, description="One of the caller's teams; null: the caller's own webhook.")
    description: str = Field("", max_length=DESCRIPTION_MAX)
    kinds: list[str] | None = Field(None, description=KINDS, examples=[["verified", "verifyFailed"]])


class WebhookChange(InputSchema):
    """What is to change; a field that is left out stays. `kinds: null` means every kind."""

    url: str | None = Field(None, min_length=1, max_length=URL_MAX)
    description: str | None = Field(None, max_length=DESCRIPTION_MAX)
    kinds: list[str] | None = Field(None, description=KINDS)


class WebhookFields(Schema):
    """A webhook."""

    id: int
    url: str
    team: str | None
    username: str
    description: str
    kinds: list[str] | None
    created_at: dt.datetime
    former_until: dt.datetime | None = Field(description="until then messages are signed by the former secret too")
    failing_since: dt.datetime | None
    disabled_at: dt.datetime | None
    disabled_reason: str


class WebhookOut(WebhookFields):
    """A webhook without its secret; `username` is in whose name it is sent."""

    @staticmethod
    def resolve_team(webhook: Webhook) -> str | None:
        """The team's name."""
        return webhook.team.name if webhook.team else None

    @staticmethod
    def resolve_username(webhook: Webhook) -> str:
        """The person's user name."""
        return webhook.user.username if webhook.user else ""


class WebhookCreated(WebhookFields):
    """A new webhook; the secret is shown this once."""

    secret: str


class SecretOut(Schema):
    """A new secret, which is shown this once."""

    secret: str


class WebhooksOut(Schema):
    """The caller's webhooks and those of their teams; `hosts` are those that the operator allows."""

    items: list[WebhookOut]
    hosts: list[str]


class DeliveryTry(Schema):
    """One try of a delivery; `status` is null where there was no answer."""

    at: dt.datetime
    seconds: float
    status: int | None
    error: str


class DeliveryOut(Schema):
    """A message to a webhook; `message_id` is its header `webhook-id`, `tries` are in order."""

    id: int
    message_id: str
    event: str
    kind: str
    label: str = Field(description="the kind in words")
    state: DeliveryState
    attempts: int
    created_at: dt.datetime
    next_at: dt.datetime | None
    delivered_at: dt.datetime | None
    error: str
    body: str
    tries: list[DeliveryTry]

    @staticmethod
    def resolve_label(delivery: Delivery) -> str:
        """The kind in words."""
        return delivery.kind_label

    @staticmethod
    def resolve_next_at(delivery: Delivery) -> dt.datetime | None:
        """When it is tried (again); None where it is not."""
        return delivery.next_at if delivery.state == DeliveryState.QUEUED else None

    @staticmethod
    def resolve_tries(delivery: Delivery) -> list[object]:
        """The tries, in order."""
        return list(delivery.tries.all())


class DeliveryPage(Schema):
    """One page of a webhook's log, newest first."""

    items: list[DeliveryOut]
    next: str | None
