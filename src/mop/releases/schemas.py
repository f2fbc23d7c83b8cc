"""What the API takes and gives about services and gates."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import Description, InputSchema
from mop.releases.models import CONDITIONS_MAX, GateVersion, Service

KindName = Literal["AACS", "RAIO"]
PolicyName = Literal["warn", "block"]
ResultName = Literal["pass", "pass, close", "fail", "not measured"]


class ServiceIn(InputSchema):
    """A new downstream service."""

    name: str = Field(min_length=1, max_length=100)
    kind: KindName
    description: Description = ""
    contact: str = Field(default="", max_length=200)
    policy: PolicyName = Field(default="block", description="what a gate that does not pass does to a request")
    admins: list[str] = Field(min_length=1, max_length=50, description="user names")


class ServicePatch(InputSchema):
    """What of a service can change; what is left out stays."""

    description: Description | None = None
    contact: str | None = Field(default=None, max_length=200)
    policy: PolicyName | None = None
    admins: list[str] | None = Field(default=None, min_length=1, max_length=50)


class ServiceOut(Schema):
    """A downstream service."""

    name: str
    kind: KindName
    description: str
    contact: str
    policy: PolicyName
    admins: list[str]
    created_at: dt.datetime
    created_by: str

    @staticmethod
    def resolve_admins(row: Service) -> list[str]:
        return sorted(person.username for person in row.admins.all())

    @staticmethod
    def resolve_created_by(row: Service) -> str:
        return row.created_by.username


class GateIn(InputSchema):
    """New conditions."""

    conditions: str = Field(max_length=CONDITIONS_MAX, description="one on each line; empty for none")
    number: int | None = Field(
        default=None, ge=0, description="the version that you read, 0 for none: refused if it changed since"
    )


class ConditionsIn(InputSchema):
    """Conditions to be checked and not stored."""

    conditions: str = Field(max_length=CONDITIONS_MAX)


class ConditionsOut(Schema):
    """Conditions in their canonical text."""

    conditions: list[str]


class GateOut(Schema):
    """The conditions of a task or service that hold."""

    number: int = Field(description="counts changes; 0 where there never were conditions")
    conditions: str
    changed_at: dt.datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, gate: GateVersion | None) -> GateOut:
        """The document of a gate, or of none."""
        if gate is None:
            return cls(number=0, conditions="", changed_at=None, changed_by=None)
        return cls(
            number=gate.number,
            conditions=gate.conditions,
            changed_at=gate.created_at,
            changed_by=gate.created_by_label,
        )


class GatePartOut(Schema):
    """One value of a condition; shares are from 0 to 1."""

    where: str
    result: ResultName
    value: float | None
    low: float | None = Field(description="of the 95 % interval")
    high: float | None
    of: str
    reason: str = Field(description="why there is no value")
    step: str = Field(description="what would measure it")


class GateRowOut(Schema):
    """One condition, and how it came out."""

    source: Literal["task", "service"]
    gate: str
    number: int
    task: str
    condition: str
    measure: str
    threshold: str
    unit: str
    ends: list[float]
    result: ResultName
    why: str
    parts: list[GatePartOut]


class GateReportOut(Schema):
    """How a version comes out of every condition that concerns it."""

    model: str
    version: str
    service: str | None
    result: ResultName
    rows: list[GateRowOut]
