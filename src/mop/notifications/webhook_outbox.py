"""Sending what waits for webhooks: by a worker, outside every transaction of ours, at least once.

A delivery is claimed by moving its `next_at` ahead, sent, then settled. A worker that dies in between leaves a claim
that ends by itself; the message is then sent again under the same id, by which receivers know it.

Each webhook has a lane: its messages are sent one after another, and the first that finds no receiver lets the others
wait. Lanes run beside each other, so a receiver that hangs holds up nobody else. Threads send; the database is asked by
the caller's alone.
"""

from __future__ import annotations

import datetime as dt
import logging
import queue
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from mop.accounts.sealing import unseal
from mop.accounts.token_services import could_sign_in
from mop.audit.services import Actor
from mop.deferred import deferred
from mop.notifications.models import Delivery, DeliveryAttempt, Webhook
from mop.notifications.scopes import within_sight
from mop.notifications.texts import one_line
from mop.notifications.webhook_selectors import allowed
from mop.notifications.webhook_signing import PURPOSE, signatures
from mop.notifications.webhook_states import DeliveryState
from mop.notifications.webhooks import disable_webhook

if TYPE_CHECKING:
    from mop.notifications import webhook_http
    from mop.notifications.webhook_http import Answer, Poster
else:
    webhook_http = deferred("mop.notifications.webhook_http")

BATCH = 200
LANES = 8
LANE_LENGTH = 10
LANE_SECONDS = 15.0
CLAIM = dt.timedelta(minutes=5)
PAUSES = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
PAUSE_MAX = PAUSES[-1]
DISABLED_AFTER = dt.timedelta(days=5)
KEPT = dt.timedelta(days=30)
GONE = 410
ERROR_MAX = 300
OUTBOX = Actor.system("webhooks")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Message:
    """A claimed delivery, ready to be sent."""

    delivery: Delivery
    url: str
    headers: dict[str, str]
    body: bytes


def deliver_due(poster: Poster | None = None) -> int:
    """Send what is due.

    Returns:
        How many messages arrived.
    """
    lanes: dict[int, list[Delivery]] = {}
    due = _queued().select_related("webhook__user", "webhook__team").order_by("next_at", "pk")[:BATCH]
    for delivery in due:
        lanes.setdefault(delivery.webhook_id, []).append(delivery)
    ready = [messages for lane in lanes.values() if (messages := _prepared(lane[:LANE_LENGTH]))]
    if not ready:
        return 0
    sender = poster or webhook_http.Poster(allowed(), settings.MOP_WEBHOOK_SECONDS)
    outcomes: queue.SimpleQueue[tuple[_Message, Answer | None]] = queue.SimpleQueue()
    arrived = 0
    with ThreadPoolExecutor(LANES, thread_name_prefix="webhook") as pool:
        for messages in ready:
            pool.submit(_send_lane, sender, messages, outcomes)
        for _ in range(sum(map(len, ready))):
            message, answer = outcomes.get()
            if answer is None:
                _put_back(message.delivery)
            else:
                arrived += _settle(message.delivery, answer)
    return arrived


def forget_old() -> int:
    """Remove what was settled long ago from the logs.

    Returns:
        How many deliveries went.
    """
    old = Delivery.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(state=DeliveryState.QUEUED)
    _, counts = old.delete()
    return counts.get("notifications.Delivery", 0)


def claim(delivery: Delivery) -> bool:
    """Take a delivery for sending; False when another worker did."""
    mine = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.QUEUED, next_at=delivery.next_at).update(
        next_at=timezone.now() + CLAIM, attempts=F("attempts") + 1
    )
    delivery.attempts += mine
    return bool(mine)


def _prepared(lane: Sequence[Delivery]) -> list[_Message]:
    """The messages of a lane that are ours to send; what may not be sent any more is settled."""
    webhook = lane[0].webhook
    if why := _why_not(webhook):
        _settle_as(lane, DeliveryState.WITHHELD, why)
        return []
    keys = [unseal(webhook.secret, purpose=PURPOSE)]
    if webhook.former_until and webhook.former_until > timezone.now():
        keys.append(unseal(webhook.former_secret, purpose=PURPOSE))
    usable = [key for key in keys if key]
    if keys[0] is None:
        _settle_as(lane, DeliveryState.FAILED, "The secret cannot be read: MOP_SECRET_KEY is another one. Rotate it.")
        return []
    hidden = _hidden(webhook, lane)
    _settle_as([one for one in lane if one.pk in hidden], DeliveryState.WITHHELD, "You may no longer see this.")
    return [_message(one, usable) for one in lane if one.pk not in hidden and claim(one)]


def _why_not(webhook: Webhook) -> str:
    """Why nothing may be sent in the name of whom a webhook belongs to; empty where it may."""
    user, team = webhook.user, webhook.team
    if user is None:
        return ""
    if not could_sign_in(user):
        return f"{user.username}, in whose name it is sent, cannot sign in, or has not for a long time."
    if team is not None and not team.members.filter(pk=user.pk).exists():
        return f"{user.username}, in whose name it is sent, is no longer in {team.name}."
    return ""


def _hidden(webhook: Webhook, lane: Sequence[Delivery]) -> set[int]:
    """Deliveries about what the person may no longer see."""
    keys = {one.pk for one in lane}
    if webhook.user is None:
        return set()
    return keys - set(Delivery.objects.filter(within_sight(webhook.user), pk__in=keys).values_list("pk", flat=True))


def _message(delivery: Delivery, keys: Iterable[str]) -> _Message:
    body = delivery.body.encode()
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"MOP/{version('mop')} (webhook)",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(keys, delivery.message_id, timestamp, body),
    }
    return _Message(delivery, delivery.webhook.url, headers, body)


def _send_lane(
    sender: Poster, messages: Sequence[_Message], outcomes: queue.SimpleQueue[tuple[_Message, Answer | None]]
) -> None:
    """Send one after another until one fails or the time is over; the others are put back."""
    began, goes_on = time.monotonic(), True
    for message in messages:
        answer = None
        if goes_on:
            try:
                answer = sender.post(message.url, message.headers, message.body)
            except Exception:
                logger.exception("the webhook of %s failed", message.delivery.message_id)
                answer = webhook_http.Answer(None, error="MOP failed; its log says why.")
            goes_on = answer.arrived and time.monotonic() - began < LANE_SECONDS
        outcomes.put((message, answer))


def _settle(delivery: Delivery, answer: Answer) -> bool:
    """Write down what came of a try."""
    error = one_line(answer.error, ERROR_MAX)
    DeliveryAttempt.objects.create(delivery=delivery, seconds=answer.seconds, status=answer.status, error=error)
    mine = Delivery.objects.filter(pk=delivery.pk)
    webhook = Webhook.objects.filter(pk=delivery.webhook_id)
    now = timezone.now()
    if answer.arrived:
        mine.update(state=DeliveryState.DELIVERED, delivered_at=now, error="")
        webhook.exclude(failing_since=None).update(failing_since=None)
        return True
    webhook.filter(failing_since=None).update(failing_since=now)
    if answer.refused:
        mine.update(state=DeliveryState.REFUSED, error=error)
    elif delivery.attempts > len(PAUSES):
        mine.update(state=DeliveryState.FAILED, error=error)
    else:
        asked = dt.timedelta(seconds=answer.retry_after_s or 0)
        pause = max(PAUSES[delivery.attempts - 1], min(asked, PAUSE_MAX))
        mine.update(next_at=now + pause, error=error)
    standing = webhook.select_related("user").first()
    if standing is not None:
        _disable_hopeless(standing, answer)
    return False


def _disable_hopeless(webhook: Webhook, answer: Answer) -> None:
    if answer.status == GONE:
        disable_webhook(actor=OUTBOX, webhook=webhook, reason="The receiver answered 410: it wants no more messages.")
    elif webhook.failing_since and webhook.failing_since < timezone.now() - DISABLED_AFTER:
        reason = f"Nothing arrived for {DISABLED_AFTER.days} days. The last time: {answer.error}"
        disable_webhook(actor=OUTBOX, webhook=webhook, reason=reason)


def _put_back(delivery: Delivery) -> None:
    """Let a delivery wait that was claimed and not tried."""
    waits = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.QUEUED)
    waits.update(attempts=F("attempts") - 1, next_at=timezone.now() + PAUSES[0])


def _settle_as(deliveries: Sequence[Delivery], state: DeliveryState, why: str) -> None:
    if deliveries:
        mine = Delivery.objects.filter(pk__in=[one.pk for one in deliveries], state=DeliveryState.QUEUED)
        mine.update(state=state, error=one_line(why, ERROR_MAX))


def _queued() -> QuerySet[Delivery, Any]:
    return Delivery.objects.filter(state=DeliveryState.QUEUED, next_at__lte=timezone.now())
