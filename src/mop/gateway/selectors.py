"""Reads of what gateways of a service share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from mop.accounts.sealing import unseal
from mop.errors import NotFoundError
from mop.gateway.containers import PURPOSE
from mop.gateway.models import Answer, BlobContainer, Blocklist, BlocklistItem, GatewayKey, GatewayState
from mop.releases.models import Service

UNREADABLE: dict[str, Any] = {}


@dataclass(frozen=True)
class Shared:
    """What a gateway needs to know beside its models.

    Attributes:
        version: of the state that was read.
        keys: numbers of the keys by their SHA-256 digests.
        blocklists: versions by (id, name).
        containers: credentials by url; empty where MOP_SECRET_KEY is another one since.
    """

    version: int = -1
    keys: Mapping[str, int] = field(default_factory=dict)
    blocklists: Mapping[tuple[int, str], int] = field(default_factory=dict)
    containers: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def state_version(service_id: int) -> int:
    """The number that grows with every change. One query."""
    return GatewayState.objects.filter(service=service_id).values_list("version", flat=True).first() or 0


def read_shared(service_id: int) -> Shared:
    """Everything but the items of blocklists. The version is read first: a change meanwhile is read again."""
    version = state_version(service_id)
    lists = Blocklist.objects.filter(service=service_id)
    return Shared(
        version=version,
        keys=dict(GatewayKey.objects.filter(service=service_id).values_list("digest", "number")),
        blocklists={(one.pk, one.name): one.version for one in lists},
        containers={
            one.url: json.loads(opened) if (opened := unseal(one.credential, purpose=PURPOSE)) else UNREADABLE
            for one in BlobContainer.objects.filter(service=service_id)
        },
    )


def items_of(blocklist_id: int) -> list[tuple[uuid.UUID, str]]:
    """Ids and texts of a blocklist's items, in order."""
    return list(BlocklistItem.objects.filter(blocklist=blocklist_id).values_list("pk", "text"))


def gateway_keys(service: Service) -> QuerySet[GatewayKey]:
    """The keys of a service, by number."""
    return GatewayKey.objects.filter(service=service).order_by("number")


def blob_containers(service: Service) -> QuerySet[BlobContainer]:
    """The containers of a service, by url."""
    return BlobContainer.objects.filter(service=service).order_by("url")


def get_container(service: Service, container_id: int) -> BlobContainer:
    """A container of a service.

    Raises:
        NotFoundError: the service does not list it.
    """
    found = blob_containers(service).filter(pk=container_id).first()
    if found is None:
        raise NotFoundError(f"{service.name} does not list this container.")
    return found


def get_answer(service: Service, request_id: uuid.UUID) -> Answer:
    """The record of an answer.

    Raises:
        NotFoundError: there is none, or none any more.
    """
    found = Answer.objects.filter(service=service, request_id=request_id).first()
    if found is None:
        raise NotFoundError(
            f"There is no record of an answer {request_id} of {service.name}.",
            hint="Records are kept for the days of MOP_GATEWAY_RECORD_DAYS.",
        )
    return found
