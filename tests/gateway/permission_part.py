"""A container and a record of an answer of the owner's service, in the world of the permission tests."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from mop.areas.permissions import Row
from mop.gateway.models import Answer, BlobContainer
from mop.gateway.services import add_container
from mop.releases.models import Service
from support.factories import ACTOR
from support.permission_world import Part, World

CONTAINER = "https://account.blob.core.windows.net/images"
REQUEST_ID = uuid.UUID(int=1)


def _prepare(_world: World) -> None:
    service = Service.objects.get(name="Content Safety")
    add_container(actor=ACTOR, service=service, url=CONTAINER, credential={"anonymous": True})
    Answer.objects.create(
        request_id=REQUEST_ID, service=service, at=timezone.now(), kind="Text", status=200, milliseconds=1
    )


def _names(_world: World, row: Row) -> dict[str, object]:
    if "/gateway" not in row.path:
        return {}
    container = BlobContainer.objects.filter(service__name="Content Safety").first()
    return {
        "service": "Content Safety",
        "number": 1,
        "container": container.pk if container else 0,
        "request_id": REQUEST_ID,
    }


def _bodies(_world: World, _row: Row) -> dict[tuple[str, str], Any]:
    return {
        ("POST", "/services/{service}/gateway/containers"): {"url": CONTAINER, "credential": {"anonymous": True}},
    }


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
