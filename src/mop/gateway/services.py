"""Writes to what gateways of a service share. Each change makes every gateway of the service read anew."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from mop.accounts.sealing import seal
from mop.accounts.validation import save_checked
from mop.audit.services import Actor
from mop.errors import ValidationFailedError
from mop.gateway.actions import Action
from mop.gateway.containers import PURPOSE, check_container
from mop.gateway.models import Answer, BlobContainer, GatewayKey, GatewayState
from mop.gateway.selectors import get_container
from mop.releases.models import Service
from mop.releases.services import record_of_service

KEY_NUMBERS = (1, 2)
KEY_PREFIX = "mopgw_"
PREFIX_CHARACTERS = 12
CONTAINERS_MAX = 20
FORGET_AT_ONCE = 5000


@transaction.atomic
def rotate_key(*, actor: Actor, service: Service, number: int) -> str:
    """Make a new key in the place of key 1 or 2, which does not work any more; the other one stays.

    Returns:
        The key, which is shown once.

    Raises:
        ValidationFailedError: there are keys 1 and 2 alone, or the service has no gateway.
    """
    if number not in KEY_NUMBERS:
        raise ValidationFailedError("A gateway has key 1 and key 2.", fields={"number": ["Give 1 or 2."]})
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    touch(service)
    GatewayKey.objects.update_or_create(
        service=service,
        number=number,
        defaults={
            "digest": key_digest(secret),
            "prefix": secret[:PREFIX_CHARACTERS],
            "created_at": timezone.now(),
            "created_by_label": actor.label,
        },
    )
    record_of_service(actor, Action.KEY_ROTATED, service, {"number": number, "prefix": secret[:PREFIX_CHARACTERS]})
    return secret


def key_digest(secret: str) -> str:
    """What is kept of a key; it is as random as its digest, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def add_container(*, actor: Actor, service: Service, url: str, credential: dict[str, Any]) -> BlobContainer:
    """Let callers name images of this container, which are then read with this credential; a former one is replaced.

    Args:
        actor: who is recorded.
        service: whose callers.
        url: `https://ACCOUNT.blob.core.windows.net/CONTAINER`.
        credential: `{"sas": ...}`, `{"account_key": ...}` or `{"anonymous": true}`.

    Raises:
        ValidationFailedError: the url is no container that may be read, the credential is none, or there are too many.
    """
    url = url.strip().rstrip("/")
    check_container(url, credential)
    touch(service)
    container = BlobContainer.objects.filter(service=service, url=url).first()
    if container is None:
        if BlobContainer.objects.filter(service=service).count() >= CONTAINERS_MAX:
            raise ValidationFailedError(
                f"The service has {CONTAINERS_MAX} containers already.", hint="Remove one first."
            )
        container = BlobContainer(service=service, url=url)
    container.credential = seal(json.dumps(credential), purpose=PURPOSE)
    container.created_at, container.created_by_label = timezone.now(), actor.label
    save_checked(container)
    record_of_service(actor, Action.CONTAINER_ADDED, service, {"url": url, "credential": next(iter(credential))})
    return container


@transaction.atomic
def remove_container(*, actor: Actor, service: Service, container_id: int) -> None:
    """Callers may not name images of this container any more; its credential is deleted.

    Raises:
        NotFoundError: the service does not list it.
    """
    touch(service)
    container = get_container(service, container_id)
    container.delete()
    record_of_service(actor, Action.CONTAINER_REMOVED, service, {"url": container.url})


def touch(service: Service) -> None:
    """Tell the gateways of a service that something changed; a lock on its row until the transaction ends."""
    GatewayState.objects.get_or_create(service=service)
    GatewayState.objects.filter(service=service).update(version=F("version") + 1)


def forget_answers() -> None:
    """Delete records of answers that are older than MOP_GATEWAY_RECORD_DAYS, some thousand at a time."""
    before = timezone.now() - dt.timedelta(days=settings.MOP_GATEWAY_RECORD_DAYS)
    while True:
        old = list(Answer.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:FORGET_AT_ONCE])
        if not old:
            return
        Answer.objects.filter(pk__in=old).delete()
