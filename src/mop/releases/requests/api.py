"""API of releases."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.listing import list_page
from mop.accounts.references import named_in
from mop.accounts.rules import authorise, may
from mop.registry.models import Revision
from mop.registry.selectors import get_revision
from mop.registry.statuses import PublishStatus
from mop.releases.release_models import Release, ServiceScope
from mop.releases.release_states import WentLive
from mop.releases.requests.access import calling_service, service_of, service_or_person
from mop.releases.requests.deciding import (
    approve_release,
    current_evidence,
    reject_release,
    request_release,
    withdraw_release,
)
from mop.releases.requests.evidence import changes_between
from mop.releases.requests.offers import offer_of
from mop.releases.requests.schemas import (
    ApprovalIn,
    CanaryIn,
    EvidenceOut,
    LiveOut,
    OfferIn,
    OfferOut,
    PeriodOut,
    ReleaseComment,
    ReleaseDetail,
    ReleaseIn,
    ReleaseOut,
    ReleasePage,
    ReleaseReason,
)
from mop.releases.requests.selectors import (
    filtered,
    get_release,
    one_of,
    periods_of,
    releases,
    slots_of,
    visible_releases,
)
from mop.releases.requests.switching import end_canary, mark_released, retire_release, roll_back, start_canary
from mop.releases.selectors import get_service

router = Router(tags=["releases"])
READ_BUNDLE = service_or_person(ServiceScope.READ_BUNDLE)
ACKNOWLEDGE = service_or_person(ServiceScope.ACKNOWLEDGE)


@router.get("/releases", response=ReleasePage, auth=READ_BUNDLE)
def list_releases(
    request: HttpRequest,
    service: str = "",
    state: str = "",
    taxonomy: str = "",
    search: str = "",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Releases that you may see, the newest first; a service's token sees those of its service.

    `state` is a state, or `waiting`, `live` or `ended`; `search` part of a model's name, or a number.
    """
    found = filtered(_seen(request), service=service, state=state, taxonomy=taxonomy, search=search)
    return list_page(found, field="pk", descending=True, cursor=cursor, limit=limit)


@router.get("/releases/{int:number}", response=ReleaseDetail, auth=READ_BUNDLE)
def show_release(request: HttpRequest, number: int) -> Release:
    """One release, and what happened to it."""
    return one_of(_seen(request), number)


@router.get("/releases/{int:number}/evidence", response=EvidenceOut, auth=READ_BUNDLE)
def show_evidence(request: HttpRequest, number: int) -> dict[str, Any]:
    """The evidence of a release: as it stands, and as it was frozen at the request and at the decision."""
    release = one_of(_seen(request), number)
    now = current_evidence(release) if _is_known_now(request, release) else None
    return {
        "digest": now.digest if now else release.evidence_digest,
        "now": now.document if now else None,
        "changes": changes_between(release.evidence_at_request, now.document) if now else [],
        "at_request": release.evidence_at_request,
        "at_decision": release.evidence_at_decision,
    }


@router.post("/services/{service}/releases", response={201: ReleaseOut})
def offer_release(request: HttpRequest, service: str, body: ReleaseIn) -> Status[Release]:
    """Request a release of a version. Owners of the model only."""
    caller = caller_of(request)
    found = get_service(service)
    revision = _offered(caller, body)
    authorise(caller.user, "releases.request", revision, what="request a release of this version")
    made = request_release(
        actor=caller.actor,
        user=caller.user,
        revision=revision,
        service=found,
        taxonomies=body.taxonomies,
        comment=body.comment,
    )
    return Status(201, made)


@router.post("/services/{service}/releases/check", response=OfferOut)
def check_offer(request: HttpRequest, service: str, body: OfferIn) -> dict[str, Any]:
    """What a request would find now: preconditions, gates, and why it would be refused. Nothing is stored."""
    caller = caller_of(request)
    found = get_service(service)
    revision = _offered(caller, body)
    offer = offer_of(revision, found, body.taxonomies)
    return {
        "preconditions": list(offer.evidence.preconditions),
        "gates": {
            "model": body.model,
            "version": body.version,
            "service": service,
            **offer.evidence.gates.to_dict(),
        },
        "obstacle": offer.obstacle.message if offer.obstacle else "",
        "digest": offer.evidence.digest,
    }


@router.post("/releases/{int:number}/approve", response=ReleaseOut)
def approve(request: HttpRequest, number: int, body: ApprovalIn) -> Release:
    """Let the service take a release. An admin of the service who neither requested it nor owns the model."""
    caller, release = _decided(request, number)
    row = approve_release(
        actor=caller.actor,
        user=caller.user,
        release=release,
        comment=body.comment,
        evidence=body.evidence,
        canary_share=body.canary_share,
    )
    return get_release(caller.user, row.pk)


@router.post("/releases/{int:number}/reject", response=ReleaseOut)
def reject(request: HttpRequest, number: int, body: ReleaseReason) -> Release:
    """Refuse a release. Admins of the service only."""
    caller, release = _decided(request, number)
    reject_release(actor=caller.actor, user=caller.user, release=release, comment=body.comment)
    return get_release(caller.user, number)


@router.post("/releases/{int:number}/withdraw", response=ReleaseOut)
def withdraw(request: HttpRequest, number: int, body: ReleaseComment) -> Release:
    """Take a release back before it is live: its requester and owners of the model, once approved admins too."""
    caller = caller_of(request)
    release = get_release(caller.user, number)
    authorise(caller.user, "releases.withdraw", release, what="withdraw this release")
    withdraw_release(actor=caller.actor, release=release, comment=body.comment)
    return get_release(caller.user, number)


@router.post("/releases/{int:number}/acknowledge", response=ReleaseOut, auth=ACKNOWLEDGE)
def acknowledge(request: HttpRequest, number: int) -> Release:
    """Say that the service runs an approved release, with a token of the service. Done twice it does nothing."""
    caller = service_of(request)
    release = one_of(releases().filter(service=caller.service), number)
    mark_released(actor=caller.actor, release=release, how=WentLive.ACKNOWLEDGED)
    return releases().get(pk=number)


@router.post("/releases/{int:number}/released", response=ReleaseOut)
def released(request: HttpRequest, number: int, body: ReleaseComment) -> Release:
    """Say that an approved release is live; a canary becomes so for every request. Admins of the service."""
    caller, release = _decided(request, number)
    mark_released(
        actor=caller.actor, release=release, how=WentLive.ADMIN, user=caller.user, comment=body.comment.strip()
    )
    return get_release(caller.user, number)


@router.post("/releases/{int:number}/retire", response=ReleaseOut)
def retire(request: HttpRequest, number: int, body: ReleaseReason) -> Release:
    """Take a live release out of the service. Admins of the service."""
    caller, release = _decided(request, number)
    retire_release(actor=caller.actor, user=caller.user, release=release, comment=body.comment)
    return get_release(caller.user, number)


@router.post("/releases/{int:number}/rollback", response=list[ReleaseOut])
def rollback(request: HttpRequest, number: int, body: ReleaseReason) -> list[Release]:
    """Return from a live release to what was live before it. Admins of the service only.

    The answer is the new release records, which are live.
    """
    caller, release = _decided(request, number)
    made = roll_back(actor=caller.actor, user=caller.user, release=release, comment=body.comment)
    return [get_release(caller.user, one.pk) for one in made]


@router.put("/releases/{int:number}/canary", response=ReleaseOut)
def put_canary(request: HttpRequest, number: int, body: CanaryIn) -> Release:
    """Let an approved release answer a share of the requests, or change that share. Admins of the service."""
    caller, release = _decided(request, number)
    start_canary(actor=caller.actor, user=caller.user, release=release, share=body.share)
    return get_release(caller.user, number)


@router.post("/releases/{int:number}/canary/end", response=ReleaseOut)
def stop_canary(request: HttpRequest, number: int, body: ReleaseReason) -> Release:
    """Let what is live answer every request again; the release stays approved. Admins of the service."""
    caller, release = _decided(request, number)
    end_canary(actor=caller.actor, user=caller.user, release=release, reason=body.comment)
    return get_release(caller.user, number)


@router.get("/services/{service}/live", response=list[LiveOut], auth=READ_BUNDLE)
def show_live(request: HttpRequest, service: str) -> list[LiveOut]:
    """What is live for each taxonomy and modality of a service, since when, and who approved it and why."""
    if calling_service(request) is not None:
        service_of(request, service)
    return [LiveOut.of(slot) for slot in slots_of(get_service(service))]


@router.get("/services/{service}/history", response=list[PeriodOut])
def show_history(request: HttpRequest, service: str) -> list[PeriodOut]:
    """What was live when, of the releases that you may see."""
    caller = caller_of(request)
    seen = visible_releases(caller.user).order_by().values("pk")
    return [PeriodOut.of(row) for row in periods_of(get_service(service)).filter(release__in=seen)]


def _seen(request: HttpRequest) -> QuerySet[Release]:
    service = calling_service(request)
    if service is not None:
        return releases().filter(service=service.service)
    return visible_releases(caller_of(request).user)


def _is_known_now(request: HttpRequest, release: Release) -> bool:
    """Whether how the version stands now is told."""
    revision = release.revision
    if revision is None:
        return False
    if calling_service(request) is None:
        return may(caller_of(request).user, "releases.see_how_it_stands", release)
    return revision.publish_status == PublishStatus.PUBLIC or not release.get_state().is_final


def _offered(caller: Caller, body: OfferIn) -> Revision:
    with named_in("version"):
        return get_revision(caller.user, body.model, body.version)


def _decided(request: HttpRequest, number: int) -> tuple[Caller, Release]:
    """Who asks, and a release to the service of which they must be an admin."""
    caller = caller_of(request)
    release = get_release(caller.user, number)
    authorise(caller.user, "releases.decide", release, what="decide about releases to this service")
    return caller, release
