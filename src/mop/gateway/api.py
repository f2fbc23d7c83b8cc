"""API of a service's gateway: its keys, its containers, the records of its answers."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.rules import authorise
from mop.gateway.models import Answer, BlobContainer
from mop.gateway.schemas import AnswerOut, ContainerIn, ContainerOut, GatewayOut, NewKeyOut
from mop.gateway.selectors import blob_containers, gateway_keys, get_answer
from mop.gateway.services import add_container, remove_container, rotate_key
from mop.releases.models import Service
from mop.releases.selectors import get_service

router = Router(tags=["gateway"])
_GATEWAY = "/services/{service}/gateway"


@router.get(_GATEWAY, response=GatewayOut)
def get_gateway(request: HttpRequest, service: str) -> dict[str, Any]:
    """Keys and containers of a service's gateway; no secret is shown. Its admins and administrators."""
    _, found = _managed(request, service)
    return {"keys": list(gateway_keys(found)), "containers": list(blob_containers(found))}


@router.post(f"{_GATEWAY}/keys/{{number}}/rotate", response=NewKeyOut)
def post_rotate(request: HttpRequest, service: str, number: int) -> dict[str, Any]:
    """Make a new key 1 or 2; the former one ends within a second, the other one stays. Shown once."""
    caller, found = _managed(request, service)
    return {"number": number, "key": rotate_key(actor=caller.actor, service=found, number=number)}


@router.post(f"{_GATEWAY}/containers", response={201: ContainerOut})
def post_container(request: HttpRequest, service: str, body: ContainerIn) -> Status[BlobContainer]:
    """Let callers name images of a container by blobUrl, or give it another credential."""
    caller, found = _managed(request, service)
    return Status(201, add_container(actor=caller.actor, service=found, url=body.url, credential=body.credential))


@router.delete(f"{_GATEWAY}/containers/{{container}}", response={204: None})
def delete_container(request: HttpRequest, service: str, container: int) -> Status[None]:
    """Stop callers from naming images of a container, and delete its credential."""
    caller, found = _managed(request, service)
    remove_container(actor=caller.actor, service=found, container_id=container)
    return Status(204, None)


@router.get(f"{_GATEWAY}/answers/{{request_id}}", response=AnswerOut)
def get_one_answer(request: HttpRequest, service: str, request_id: uuid.UUID) -> Answer:
    """The record of an answer by its request id: when, by which releases, which severities; never what was asked."""
    _, found = _managed(request, service)
    return get_answer(found, request_id)


def _managed(request: HttpRequest, name: str) -> tuple[Caller, Service]:
    caller = caller_of(request)
    service = get_service(name)
    authorise(caller.user, "gateway.manage", service, what="manage the gateway of this service")
    return caller, service
