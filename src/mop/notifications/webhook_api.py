"""API of webhooks: the caller's own and those of their teams."""

from __future__ import annotations

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.references import named_in
from mop.accounts.selectors import get_team
from mop.notifications.models import Delivery, Webhook
from mop.notifications.webhook_schemas import (
    DeliveryOut,
    DeliveryPage,
    SecretOut,
    WebhookChange,
    WebhookCreated,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
)
from mop.notifications.webhook_selectors import deliveries_of, get_delivery, get_webhook, visible_webhooks
from mop.notifications.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    enable_webhook,
    replay,
    rotate_secret,
    send_test,
)

router = Router(tags=["webhooks"])


@router.get("/webhooks", response=WebhooksOut)
def list_webhooks(request: HttpRequest) -> dict[str, Any]:
    """The caller's webhooks and those of their teams, and the hosts that the operator allows."""
    user = caller_of(request).user
    return {"items": list(visible_webhooks(user)), "hosts": list(settings.MOP_WEBHOOK_HOSTS)}


@router.post("/webhooks", response={201: WebhookCreated})
def add_webhook(request: HttpRequest, body: WebhookIn) -> Status[WebhookCreated]:
    """A new webhook and its secret, shown this once."""
    caller = caller_of(request)
    team = None
    if body.team is not None:
        with named_in("team"):
            team = get_team(caller.user, body.team)
    webhook, secret = create_webhook(
        actor=caller.actor,
        user=caller.user,
        team=team,
        url=body.url,
        description=body.description,
        kinds=body.kinds,
    )
    return Status(201, WebhookCreated(secret=secret, **WebhookOut.from_orm(webhook).dict()))


@router.get("/webhooks/{webhook_id}", response=WebhookOut)
def read_webhook(request: HttpRequest, webhook_id: int) -> Webhook:
    """One webhook."""
    return get_webhook(caller_of(request).user, webhook_id)


@router.patch("/webhooks/{webhook_id}", response=WebhookOut)
def edit_webhook(request: HttpRequest, webhook_id: int, body: WebhookChange) -> Webhook:
    """Change url, description and kinds."""
    caller = caller_of(request)
    webhook = get_webhook(caller.user, webhook_id)
    change_webhook(
        actor=caller.actor,
        webhook=webhook,
        user=caller.user,
        url=body.url,
        description=body.description,
        kinds=body.kinds,
        every_kind="kinds" in body.model_fields_set and body.kinds is None,
    )
    return webhook


@router.post("/webhooks/{webhook_id}/rotate", response=SecretOut)
def rotate_webhook(request: HttpRequest, webhook_id: int) -> SecretOut:
    """A new secret, shown this once; for 24 hours messages are signed by the former one too."""
    caller = caller_of(request)
    webhook = get_webhook(caller.user, webhook_id)
    return SecretOut(secret=rotate_secret(actor=caller.actor, webhook=webhook, user=caller.user))


@router.post("/webhooks/{webhook_id}/enable", response=WebhookOut)
def switch_on(request: HttpRequest, webhook_id: int) -> Webhook:
    """Switch on a webhook that was switched off because nothing arrived."""
    caller = caller_of(request)
    webhook = get_webhook(caller.user, webhook_id)
    enable_webhook(actor=caller.actor, webhook=webhook)
    return webhook


@router.post("/webhooks/{webhook_id}/test", response={202: DeliveryOut})
def test_webhook(request: HttpRequest, webhook_id: int) -> Status[Delivery]:
    """Send a test message; its delivery says what came of it."""
    return Status(202, send_test(webhook=get_webhook(caller_of(request).user, webhook_id)))


@router.delete("/webhooks/{webhook_id}", response={204: None})
def remove_webhook(request: HttpRequest, webhook_id: int) -> Status[None]:
    """Delete a webhook with its log."""
    caller = caller_of(request)
    delete_webhook(actor=caller.actor, webhook=get_webhook(caller.user, webhook_id))
    return Status(204, None)


@router.get("/webhooks/{webhook_id}/deliveries", response=DeliveryPage)
def list_deliveries(
    request: HttpRequest,
    webhook_id: int,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """The log of a webhook: what was sent, newest first, with every try; kept for 30 days."""
    user = caller_of(request).user
    rows = deliveries_of(get_webhook(user, webhook_id), user)
    return list_page(rows, field="created_at", descending=True, cursor=cursor, limit=limit)


@router.get("/webhooks/{webhook_id}/deliveries/{delivery_id}", response=DeliveryOut)
def read_delivery(request: HttpRequest, webhook_id: int, delivery_id: int) -> Delivery:
    """One message and its tries."""
    user = caller_of(request).user
    return get_delivery(get_webhook(user, webhook_id), user, delivery_id)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", response={202: DeliveryOut})
def replay_delivery(request: HttpRequest, webhook_id: int, delivery_id: int) -> Status[Delivery]:
    """Send a message again, under the same id and with the same body."""
    caller = caller_of(request)
    delivery = get_delivery(get_webhook(caller.user, webhook_id), caller.user, delivery_id)
    replay(actor=caller.actor, delivery=delivery)
    return Status(202, delivery)
