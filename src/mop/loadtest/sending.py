"""What a load test sends to a revision's service, and the conditions under which it is measured."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import orjson

from mop.loadtest.conditions import Asked, Conditions
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.payloads import payload_for
from mop.sandbox import Granted
from mop.serving.service import Service

ROUTE = "/score"
FORMAT_HEADER = "x-mop-format"


@dataclass(frozen=True)
class Sent:
    """The form of the payload: `model` after the model's own converter, or `mop`, and then why.

    Attributes:
        not_json: why the converted input could not be sent; empty for the model format.
    """

    form: Literal["model", "mop"]
    not_json: str = ""


async def endpoint_of(service: Service, modality: str) -> tuple[Endpoint, Sent]:
    """The one request that is sent, its body converted once by the model's own converter in the cage.

    Raises:
        MopError: the converter raised, or the service does not answer.
    """
    item = payload_for(modality).item
    converted = await service.model_input(item)
    if converted.body is None:
        return _endpoint(service.address, "mop", orjson.dumps(item)), Sent("mop", converted.not_json)
    # a list is a list of items to the service
    body = b"[%s]" % converted.body if converted.body.startswith(b"[") else converted.body
    return _endpoint(service.address, "model", body), Sent("model")


def conditions_of(known: Asked, given: Granted, endpoint: Endpoint, sent: Sent) -> Conditions:
    """What stands beside a result: what was asked for and given, the sandbox, what was sent."""
    return Conditions(
        **vars(known),
        cpus=given.cpus,
        memory_bytes=given.memory_bytes,
        host_cpus=os.cpu_count(),
        sandbox_level=int(given.level),
        sandbox_parts=tuple(given.parts),
        mop_version=importlib.metadata.version("mop"),
        format=sent.form,
        not_json=sent.not_json,
        payload_bytes=len(endpoint.payload),
        payload_sha256=endpoint.payload_sha256,
    )


def _endpoint(address: str, form: str, body: bytes) -> Endpoint:
    headers = ((FORMAT_HEADER, form),)
    if address.startswith("unix:"):
        return Endpoint(host="service", path=ROUTE, uds=address.removeprefix("unix:"), headers=headers, payload=body)
    parts = urlsplit(address)
    return Endpoint(host=parts.hostname or "", port=parts.port or 80, path=ROUTE, headers=headers, payload=body)
