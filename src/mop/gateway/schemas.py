"""What the API of gateways takes and gives."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from ninja import Schema
from pydantic import Field

from mop.gateway.models import URL_MAX


class KeyOut(Schema):
    """One of the two keys; the key itself is shown once, when it is made."""

    number: int
    prefix: str
    created_at: dt.datetime
    created_by_label: str


class NewKeyOut(Schema):
    """A new key, shown once."""

    number: int
    key: str


class ContainerIn(Schema):
    """A container from which callers may name images."""

    url: str = Field(max_length=URL_MAX, examples=["https://account.blob.core.windows.net/images"])
    credential: dict[str, Any] = Field(
        description='Exactly one of {"sas": ...}, {"account_key": ...} and {"anonymous": true}.',
        examples=[{"sas": "sv=...&sig=..."}],
    )


class ContainerOut(Schema):
    """A container; its credential is never shown."""

    id: int
    url: str
    created_at: dt.datetime
    created_by_label: str


class GatewayOut(Schema):
    """What is set for the gateway of a service."""

    keys: list[KeyOut]
    containers: list[ContainerOut]


class AnswerOut(Schema):
    """The record of one answer: never what was asked."""

    request_id: uuid.UUID
    at: dt.datetime
    kind: str
    status: int
    milliseconds: float
    findings: dict[str, Any] = Field(
        description="Severity, score, release, version and is_canary by category; empty where nothing was answered."
    )
