"""What the server answers about releases to downstream services, as types. Fields may be added by later servers."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

ReleaseState = Literal["requested", "approved", "released", "retired", "rejected", "withdrawn"]
GateResult = Literal["pass", "pass, close", "fail", "not measured"]
ServiceScope = Literal["bundle:read", "release:acknowledge", "case:report"]


class Service(TypedDict):
    """A downstream service, which takes released models."""

    name: str
    kind: Literal["AACS", "RAIO"]
    description: str
    contact: str
    policy: Literal["warn", "block"]
    admins: list[str]
    created_at: str
    created_by: str


class ReleaseTask(TypedDict):
    """One task of a release."""

    taxonomy: str
    modality: str
    task: str
    customized_name: str


class Release(TypedDict):
    """A release of a version to a service."""

    number: int
    service: str
    model: str
    version: str
    artifact_digest: str
    state: ReleaseState
    state_changed_at: str
    tasks: list[ReleaseTask]
    gates: Literal["pass", "pass, close", "fail", "not measured"]
    evidence_digest: str
    requested_at: str
    requested_by: str
    comment: str
    decided_at: str | None
    decided_by: str | None
    decision_comment: str
    is_self_approved: bool
    released_at: str | None
    went_live: Literal["", "gateway", "acknowledged", "admin", "rollback"]
    ended_at: str | None
    end_comment: str
    is_held: bool
    restores: int | None
    rolled_back_from: int | None


class ReleaseEvent(TypedDict):
    """Something that happened to a release; `what` is a state, or canaryStarted, canaryChanged, canaryEnded."""

    what: str
    at: str
    by: str
    detail: str


class ReleaseDetail(Release):
    """A release with what happened to it."""

    events: list[ReleaseEvent]


class Precondition(TypedDict):
    """What a version needs before it can be released."""

    name: str
    title: str
    holds: bool
    reason: str
    hint: str


class Offer(TypedDict):
    """What a request would find now; `obstacle` says why it would be refused, and is empty where it would not."""

    preconditions: list[Precondition]
    gates: dict[str, Any]
    obstacle: str
    digest: str


class Evidence(TypedDict):
    """The evidence of a release as it stands (`now`; None where the version was deleted), and as it was frozen."""

    digest: str
    now: dict[str, Any] | None
    changes: list[str]
    at_request: dict[str, Any]
    at_decision: dict[str, Any] | None


class Live(TypedDict):
    """What is live for a taxonomy and modality of a service."""

    taxonomy: str
    modality: str
    release: int
    model: str
    version: str
    since: str
    approved_by: str | None
    comment: str
    canary: int | None
    canary_model: str | None
    canary_version: str | None
    canary_share: int | None


class Period(TypedDict):
    """From when to when a release was live for a taxonomy and modality."""

    taxonomy: str
    modality: str
    release: int
    model: str
    version: str
    began_at: str
    ended_at: str | None
    end: Literal["", "replaced", "retired", "rolledBack"]


class Bundle(TypedDict):
    """A signed bundle of a version, and how far it is; `sha256` is empty until it is ready."""

    model: str
    version: str
    release: int | None
    state: Literal["making", "ready", "failed"]
    error: dict[str, Any] | None
    file_name: str
    size: int | None
    sha256: str
    key: str
    created_at: str
    made_at: str | None


class GatePart(TypedDict):
    """One value of a condition; shares are from 0 to 1."""

    where: str
    result: GateResult
    value: float | None
    low: float | None
    high: float | None
    of: str
    reason: str
    step: str


class GateRow(TypedDict):
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
    result: GateResult
    why: str
    parts: list[GatePart]


class GateReport(TypedDict):
    """How a version comes out of every condition that concerns it."""

    model: str
    version: str
    service: str | None
    result: GateResult
    rows: list[GateRow]


class Gate(TypedDict):
    """The conditions of a task or service that hold, as text; `number` counts their versions."""

    number: int
    conditions: str
    changed_at: str | None
    changed_by: str | None


class ServiceToken(TypedDict):
    """A token of a service, without its secret."""

    number: int
    name: str
    prefix: str
    scopes: list[ServiceScope]
    created_at: str
    created_by: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


class NewServiceToken(ServiceToken):
    """A new token of a service with its secret, which is given once."""

    secret: str
