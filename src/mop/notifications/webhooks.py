"""Writes to webhooks and their deliveries.

    enqueue_delivery(webhook=webhook, kind="release.approved", event="release:7:approved", data={...})

puts a message into the outbox, in the transaction of the change that it tells of. Areas above use it for webhooks of
their own objects, which they make with `create_webhook(owner=Owner("service", 7))`.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import Team, User
from mop.accounts.sealing import seal
from mop.accounts.validation import save_checked
from mop.audit.services import Actor, record
from mop.errors import ConflictError, NotAllowedError, ValidationFailedError
from mop.notifications.actions import Action
from mop.notifications.kinds import TEST_KIND, Kind, all_kinds
from mop.notifications.models import Delivery, Webhook
from mop.notifications.scopes import Scope
from mop.notifications.texts import one_line
from mop.notifications.webhook_hosts import RefusedTargetError
from mop.notifications.webhook_selectors import allowed
from mop.notifications.webhook_signing import PURPOSE, new_secret
from mop.notifications.webhook_states import DeliveryState

ROTATION = dt.timedelta(hours=24)
WEBHOOKS_MAX = 20
TESTS_MAX = 5
REASON_MAX = 300


@dataclass(frozen=True)
class Owner:
    """An object of an area above that a webhook belongs to."""

    type: str
    id: int


@transaction.atomic
def create_webhook(
    *,
    actor: Actor,
    url: str,
    user: User | None = None,
    team: Team | None = None,
    owner: Owner | None = None,
    description: str = "",
    kinds: Sequence[str] | None = None,
) -> tuple[Webhook, str]:
    """A webhook of a person, of a team, or of an object of an area above; and its secret, which is shown once.

    Raises:
        NotAllowedError: the person is not in the team.
        ValidationFailedError: the operator does not allow the url, a kind is unknown, or there are too many.
    """
    if team is not None and (user is None or not team.members.filter(pk=user.pk).exists()):
        raise NotAllowedError("You are not in this team.")
    siblings = Webhook.objects.filter(team=team) if team else Webhook.objects.filter(user=user, team=None)
    if owner is None and siblings.count() >= WEBHOOKS_MAX:
        raise ValidationFailedError(f"There are {WEBHOOKS_MAX} webhooks already.", hint="Delete one first.")
    secret = new_secret()
    webhook = Webhook(
        user=user,
        team=team,
        owner_type=owner.type if owner else "",
        owner_id=owner.id if owner else None,
        url=_checked_url(url),
        description=one_line(description, 200),
        kinds=_checked_kinds(kinds, free=owner is not None),
        secret=seal(secret, purpose=PURPOSE),
    )
    save_checked(webhook)
    _note(actor, Action.WEBHOOK_CREATED, webhook, {"url": webhook.url})
    return webhook, secret


@transaction.atomic
def change_webhook(
    *,
    actor: Actor,
    webhook: Webhook,
    url: str | None = None,
    description: str | None = None,
    kinds: Sequence[str] | None = None,
    every_kind: bool = False,
    user: User | None = None,
) -> None:
    """Change what is given; `every_kind` lets it hear of all kinds, also of those that come later.

    A person who changes the url of a team's webhook is responsible for it from then on: it is told of what they see.

    Raises:
        ValidationFailedError: the operator does not allow the url, or a kind is unknown.
    """
    if url is not None and url != webhook.url:
        webhook.url = _checked_url(url)
        if webhook.team_id and user is not None:
            webhook.user = user
    if description is not None:
        webhook.description = one_line(description, 200)
    if every_kind:
        webhook.kinds = None
    elif kinds is not None:
        webhook.kinds = _checked_kinds(kinds, free=bool(webhook.owner_type))
    webhook.save(update_fields=["url", "description", "kinds", "user"])
    _note(actor, Action.WEBHOOK_CHANGED, webhook, {"url": webhook.url, "kinds": webhook.kinds})


@transaction.atomic
def rotate_secret(*, actor: Actor, webhook: Webhook, user: User | None = None) -> str:
    """A new secret, which is shown once; for a day messages are signed by the former one too."""
    secret = new_secret()
    webhook.former_secret, webhook.former_until = webhook.secret, timezone.now() + ROTATION
    webhook.secret = seal(secret, purpose=PURPOSE)
    if webhook.team_id and user is not None:
        webhook.user = user  # the person who has the secret is responsible for what is sent
    webhook.save(update_fields=["secret", "former_secret", "former_until", "user"])
    _note(actor, Action.WEBHOOK_ROTATED, webhook)
    return secret


@transaction.atomic
def enable_webhook(*, actor: Actor, webhook: Webhook) -> None:
    """Let a webhook that was switched off be told again; what it missed can be replayed."""
    if webhook.disabled_at is None:
        return
    webhook.disabled_at = webhook.failing_since = None
    webhook.disabled_reason = ""
    webhook.save(update_fields=["disabled_at", "failing_since", "disabled_reason"])
    _note(actor, Action.WEBHOOK_ENABLED, webhook)


@transaction.atomic
def disable_webhook(*, actor: Actor, webhook: Webhook, reason: str) -> None:
    """Send nothing more to a webhook, and tell the person whom it belongs to; what is queued can be replayed later."""
    switched = Webhook.objects.filter(pk=webhook.pk, disabled_at=None).update(
        disabled_at=timezone.now(), disabled_reason=one_line(reason, REASON_MAX)
    )
    if not switched:
        return
    waiting = Delivery.objects.filter(webhook=webhook, state=DeliveryState.QUEUED)
    waiting.update(state=DeliveryState.FAILED, error="The webhook is switched off.")
    _note(actor, Action.WEBHOOK_DISABLED, webhook, {"reason": one_line(reason, REASON_MAX)})
    if webhook.user is None:
        return
    from mop.notifications.services import News, notify  # noqa: PLC0415 - services tell webhooks, so they know this file

    notify(
        actor=actor,
        people=[webhook.user],
        news=News(
            kind=Kind.WEBHOOK_DISABLED,
            event=f"webhook:{webhook.pk}:disabled:{timezone.now().isoformat()}",
            title=f"The webhook {webhook} was switched off",
            reason=reason,
            hint="Repair the receiver, switch the webhook on again, and replay what it missed.",
            link=reverse("notifications:webhook", args=[webhook.pk]),
        ),
    )


def end_webhooks_of(actor: Actor, user: User) -> None:
    """Switch off what is sent in the name of a person whose account is disabled, and drop what waits."""
    for webhook in Webhook.objects.filter(user=user, disabled_at=None):
        disable_webhook(actor=actor, webhook=webhook, reason=f"{user.username} cannot sign in any more.")


@transaction.atomic
def delete_webhook(*, actor: Actor, webhook: Webhook) -> None:
    """Remove a webhook with its log; what is queued is not sent."""
    _note(actor, Action.WEBHOOK_DELETED, webhook, {"url": webhook.url})
    webhook.delete()


@transaction.atomic
def enqueue_delivery(
    *, webhook: Webhook, kind: str, event: str, data: Mapping[str, Any], scope: Scope | None = None
) -> Delivery:
    """Put a message into the outbox; one event is put there once, however often this is called.

    Args:
        webhook: who is told. Its choice of kinds is asked by `Webhook.wants`, not here.
        kind: the message's `type`.
        event: names what happened.
        data: the message's `data`, as JSON.
        scope: what whom the webhook belongs to must be allowed to see when it is sent.
    """
    body = {"type": kind, "timestamp": timezone.now().isoformat(), "data": {"event": event, **data}}
    delivery, _ = Delivery.objects.get_or_create(
        webhook=webhook,
        event=event,
        defaults={
            "kind": kind,
            "body": json.dumps(body, ensure_ascii=False),
            "scope_type": scope.type if scope else "",
            "scope_id": scope.id if scope else None,
        },
    )
    return delivery


def send_test(*, webhook: Webhook) -> Delivery:
    """Put a test message into the outbox.

    Raises:
        ConflictError: the webhook is switched off, or some wait already.
    """
    if webhook.disabled_at is not None:
        raise ConflictError("The webhook is switched off.", hint="Switch it on first.")
    waiting = webhook.deliveries.filter(kind=TEST_KIND, state=DeliveryState.QUEUED).count()
    if waiting >= TESTS_MAX:
        raise ConflictError(f"{waiting} test messages wait already.", hint="Read in the log why they do not arrive.")
    data = {"title": "A test message of MOP", "link": link_of(reverse("notifications:webhooks"))}
    return enqueue_delivery(webhook=webhook, kind=TEST_KIND, event=f"test:{uuid.uuid4()}", data=data)


@transaction.atomic
def replay(*, actor: Actor, delivery: Delivery) -> None:
    """Send a message again, under the same id and with the same body.

    Raises:
        ConflictError: it still waits, or the webhook is switched off.
    """
    if delivery.webhook.disabled_at is not None:
        raise ConflictError("The webhook is switched off.", hint="Switch it on first.")
    settled = Delivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.QUEUED)
    fields = {"state": DeliveryState.QUEUED, "attempts": 0, "next_at": timezone.now(), "error": ""}
    if not settled.update(**fields):
        raise ConflictError("The message still waits to be sent.")
    delivery.refresh_from_db()
    _note(actor, Action.WEBHOOK_REPLAYED, delivery.webhook, {"message": delivery.message_id})


def link_of(path: str) -> str:
    """A path of the portal as a whole address, where the installation knows its own."""
    return f"{settings.PUBLIC_URL}{path}"


def _checked_url(url: str) -> str:
    try:
        allowed().target(url)
    except RefusedTargetError as error:
        raise ValidationFailedError(f"url: {error}", fields={"url": [str(error)]}) from error
    return url


def _checked_kinds(kinds: Sequence[str] | None, *, free: bool) -> list[str] | None:
    """The kinds; those of an area's own webhooks are that area's words."""
    if kinds is None or free:
        return None if kinds is None else list(kinds)
    known = {kind.value for kind in all_kinds()}
    if unknown := sorted(set(kinds) - known):
        message = f"There is no kind {', '.join(unknown)}. Kinds are {', '.join(sorted(known))}."
        raise ValidationFailedError(f"kinds: {message}", fields={"kinds": [message]})
    return sorted(set(kinds))


def _note(actor: Actor, action: Action, webhook: Webhook, data: dict[str, Any] | None = None) -> None:
    record(
        actor=actor, action=action, object_type="webhook", object_id=webhook.pk, object_label=str(webhook), data=data
    )
