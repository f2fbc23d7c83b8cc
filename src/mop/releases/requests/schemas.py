"""What the API takes and gives about releases and the tokens of services."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, get_args

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.accounts.token_services import TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX
from mop.catalog.schemas import ModalityName
from mop.releases.models import Service
from mop.releases.release_models import (
    COMMENT_MAX,
    SHARE_MAX,
    SHARE_MIN,
    LiveSlot,
    Release,
    ReleaseEvent,
    ServiceToken,
    SlotPeriod,
)
from mop.releases.schemas import GateReportOut, ResultName

StateName = Literal["requested", "approved", "released", "retired", "rejected", "withdrawn"]
WentLiveName = Literal["", "gateway", "acknowledged", "admin", "rollback"]
ScopeName = Literal["bundle:read", "release:acknowledge", "case:report"]


class OfferIn(InputSchema):
    """A version for a service."""

    model: str
    version: str
    taxonomies: list[str] | None = Field(
        default=None, max_length=50, description="names; left out: every connected one that the service takes"
    )


class ReleaseIn(OfferIn):
    """A request for a release."""

    comment: str = Field(default="", max_length=COMMENT_MAX, description="needed where a gate does not pass")


class ApprovalIn(InputSchema):
    """An approval."""

    comment: str = Field(max_length=COMMENT_MAX)
    evidence: str | None = Field(
        default=None, max_length=64, description="digest of the evidence that you read; left out: that of the request"
    )
    canary_share: int | None = Field(
        default=None, ge=SHARE_MIN, le=SHARE_MAX, description="per cent of the requests that it answers as a canary"
    )


class ReleaseReason(InputSchema):
    """Why."""

    comment: str = Field(max_length=COMMENT_MAX)


class ReleaseComment(InputSchema):
    """A comment, if there is one."""

    comment: str = Field(default="", max_length=COMMENT_MAX)


class CanaryIn(InputSchema):
    """The share of a canary."""

    share: int = Field(ge=SHARE_MIN, le=SHARE_MAX, description="per cent of the requests")


class ReleaseTaskOut(Schema):
    """One task of a release."""

    taxonomy: str
    modality: ModalityName
    task: str
    customized_name: str

    @staticmethod
    def resolve_taxonomy(row: Any) -> str:
        return str(row.taxonomy)

    @staticmethod
    def resolve_task(row: Any) -> str:
        return str(row.task)


class ReleaseOut(Schema):
    """A release of a version to a service."""

    number: int
    service: str
    model: str
    version: str
    artifact_digest: str
    state: StateName
    state_changed_at: dt.datetime
    tasks: list[ReleaseTaskOut]
    gates: ResultName = Field(description="how its gates came out, at the decision or until then at the request")
    evidence_digest: str
    requested_at: dt.datetime
    requested_by: str
    comment: str
    decided_at: dt.datetime | None
    decided_by: str | None
    decision_comment: str
    is_self_approved: bool = Field(description="by the requester or an owner, as the service's only admin")
    released_at: dt.datetime | None
    went_live: WentLiveName
    ended_at: dt.datetime | None
    end_comment: str
    is_held: bool = Field(description="its canary ended: an admin takes it live or withdraws it")
    restores: int | None = Field(description="the release that a roll back returned to")
    rolled_back_from: int | None

    @staticmethod
    def resolve_number(row: Release) -> int:
        return row.pk

    @staticmethod
    def resolve_service(row: Release) -> str:
        return row.service.name

    @staticmethod
    def resolve_model(row: Release) -> str:
        return row.model_name

    @staticmethod
    def resolve_tasks(row: Release) -> list[Any]:
        return list(row.tasks.all())

    @staticmethod
    def resolve_gates(row: Release) -> str:
        return str((row.evidence_at_decision or row.evidence_at_request)["gates"]["result"])

    @staticmethod
    def resolve_requested_by(row: Release) -> str:
        return row.requested_by.username

    @staticmethod
    def resolve_decided_by(row: Release) -> str | None:
        return row.decided_by.username if row.decided_by else None

    @staticmethod
    def resolve_restores(row: Release) -> int | None:
        return row.restores_id

    @staticmethod
    def resolve_rolled_back_from(row: Release) -> int | None:
        return row.rolled_back_from_id


class ReleasePage(Schema):
    """Releases, the newest first."""

    items: list[ReleaseOut]
    next: str | None = Field(description="cursor of the next page; null on the last")


class ReleaseEventOut(Schema):
    """Something that happened to a release."""

    what: str = Field(description="a state, or canaryStarted, canaryChanged, canaryEnded, bundleReady")
    at: dt.datetime
    by: str
    detail: str

    @staticmethod
    def resolve_by(row: ReleaseEvent) -> str:
        return row.actor_label


class ReleaseDetail(ReleaseOut):
    """A release with what happened to it."""

    events: list[ReleaseEventOut]

    @staticmethod
    def resolve_events(row: Release) -> list[ReleaseEvent]:
        return list(row.events.all())


class PreconditionOut(Schema):
    """What a version needs before it can be released."""

    name: str
    title: str
    holds: bool
    reason: str
    hint: str


class EvidenceOut(Schema):
    """The evidence of a release as it stands, and as it was frozen."""

    digest: str = Field(description="of the evidence as it stands: give it with an approval")
    now: dict[str, Any] | None = Field(
        description="as it stands; null where the version was deleted or is private again"
    )
    changes: list[str] = Field(description="what it says otherwise than at the request, one sentence each")
    at_request: dict[str, Any]
    at_decision: dict[str, Any] | None


class OfferOut(Schema):
    """What a request would find now."""

    preconditions: list[PreconditionOut]
    gates: GateReportOut
    obstacle: str = Field(description="why a request would be refused; empty where it would not")
    digest: str


class LiveOut(Schema):
    """What is live for a taxonomy and modality of a service."""

    taxonomy: str
    modality: ModalityName
    release: int
    model: str
    version: str
    since: dt.datetime
    approved_by: str | None
    comment: str = Field(description="of the approval")
    canary: int | None = Field(description="the release that is a canary there")
    canary_model: str | None
    canary_version: str | None
    canary_share: int | None = Field(description="per cent of the requests")

    @classmethod
    def of(cls, slot: LiveSlot) -> LiveOut:
        """What a slot says."""
        live, canary = slot.live, slot.canary
        return cls.model_validate(
            {
                "taxonomy": slot.taxonomy.name,
                "modality": slot.modality,
                "release": live.pk,
                "model": live.model_name,
                "version": live.version,
                "since": slot.live_since,
                "approved_by": live.decided_by.username if live.decided_by else None,
                "comment": live.decision_comment,
                "canary": canary.pk if canary else None,
                "canary_model": canary.model_name if canary else None,
                "canary_version": canary.version if canary else None,
                "canary_share": slot.canary_share,
            }
        )


class PeriodOut(Schema):
    """From when to when a release was live for a taxonomy and modality."""

    taxonomy: str
    modality: ModalityName
    release: int
    model: str
    version: str
    began_at: dt.datetime
    ended_at: dt.datetime | None
    end: Literal["", "replaced", "retired", "rolledBack"]

    @classmethod
    def of(cls, row: SlotPeriod) -> PeriodOut:
        """What a period says."""
        return cls.model_validate(
            {
                "taxonomy": row.taxonomy.name,
                "modality": row.modality,
                "release": row.release_id,
                "model": row.release.model_name,
                "version": row.release.version,
                "began_at": row.began_at,
                "ended_at": row.ended_at,
                "end": row.end,
            }
        )


class ServiceTokenIn(InputSchema):
    """A new token of a service."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[ScopeName] = Field(default=[*get_args(ScopeName)], min_length=1)
    days: int = Field(default=TOKEN_DAYS_DEFAULT, ge=1, le=TOKEN_DAYS_MAX)


class ServiceTokenOut(Schema):
    """A token of a service, without its secret."""

    number: int
    name: str
    prefix: str
    scopes: list[ScopeName]
    created_at: dt.datetime
    created_by: str
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None

    @staticmethod
    def resolve_number(row: ServiceToken) -> int:
        return int(row.pk)

    @staticmethod
    def resolve_created_by(row: ServiceToken) -> str:
        return row.created_by.username


class ServiceTokenCreated(ServiceTokenOut):
    """A new token with its secret, which is shown once."""

    secret: str

    @staticmethod
    def resolve_secret(row: Any) -> str:
        return str(row.secret_shown_once)


class ServiceWebhookIn(InputSchema):
    """A webhook of a service."""

    url: str = Field(max_length=2000)
    description: str = Field(default="", max_length=200)
    kinds: list[str] | None = Field(default=None, description="such as release.approved; left out: every kind")


class ServiceWebhookOut(Schema):
    """A webhook of a service, without its secret."""

    number: int
    url: str
    description: str
    kinds: list[str] | None
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    disabled_reason: str

    @staticmethod
    def resolve_number(row: Any) -> int:
        return int(row.pk)


class ServiceWebhookCreated(ServiceWebhookOut):
    """A new webhook with its secret, which is shown once."""

    secret: str

    @staticmethod
    def resolve_secret(row: Any) -> str:
        return str(row.secret_shown_once)


class CallingService(Schema):
    """The service of a token."""

    service: str
    kind: str
    token: str
    scopes: list[ScopeName]

    @classmethod
    def of(cls, service: Service, token: ServiceToken) -> CallingService:
        """What a token is."""
        scopes: list[ScopeName] = token.scopes
        return cls(service=service.name, kind=service.kind, token=token.name, scopes=scopes)
