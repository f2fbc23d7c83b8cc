"""API of versions: create, read, retry, cancel, delete, and their timeline."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.rules import authorise
from mop.registry.allowed_hosts import change_allowed_hosts
from mop.registry.api_inputs import revision_input
from mop.registry.models import Revision
from mop.registry.proposals import propose_next_revision
from mop.registry.schemas import AllowedHosts, RevisionDetail, RevisionIn, RevisionPage, RevisionPatch, Timeline
from mop.registry.selectors import get_model, get_revision, timeline, visible_revisions
from mop.registry.services import cancel_revision, change_note, create_revision, delete_revision, retry_revision

router = Router(tags=["revisions"])
_REVISION = "/models/{name}/revisions/{version}"


@router.get("/models/{name}/revisions", response=RevisionPage)
def list_revisions(
    request: HttpRequest, name: str, cursor: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """Versions of a model that the caller may see, newest first."""
    user = caller_of(request).user
    revisions = visible_revisions(user).filter(model=get_model(user, name))
    return list_page(revisions, field="created_at", descending=True, cursor=cursor, limit=limit)


@router.post("/models/{name}/revisions", response={201: RevisionDetail})
def add_revision(request: HttpRequest, name: str, body: RevisionIn) -> Status[Revision]:
    """Add a version and start its pipeline; what is left out is the newest version's. Owners only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.create_revision", model, what="add versions to this model")
    revision = create_revision(
        actor=caller.actor,
        user=caller.user,
        model=model,
        revision=revision_input(body, propose_next_revision(model)),
    )
    return Status(201, _detail(request, name, revision.version))


@router.get(_REVISION, response=RevisionDetail)
def get_one_revision(request: HttpRequest, name: str, version: str) -> Revision:
    """One version, with its place in the queue while it waits."""
    return _detail(request, name, version)


@router.patch(_REVISION, response=RevisionDetail)
def patch_revision(request: HttpRequest, name: str, version: str, body: RevisionPatch) -> Revision:
    """Change a version's note. Owners only."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.change_revision", revision, what="change this revision")
    change_note(actor=caller.actor, revision=revision, note=body.note)
    return _detail(request, name, version)


@router.delete(_REVISION, response={204: None})
def remove_revision(request: HttpRequest, name: str, version: str) -> Status[None]:
    """Delete a version with its results; stops what runs. Owners only."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.delete_revision", revision, what="delete this revision")
    delete_revision(actor=caller.actor, revision=revision)
    return Status(204, None)


@router.post(f"{_REVISION}/retry", response=RevisionDetail)
def retry(request: HttpRequest, name: str, version: str) -> Revision:
    """Run the pipeline again on the version's snapshot. Owners only."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.change_revision", revision, what="retry this revision")
    retry_revision(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.post(f"{_REVISION}/cancel", response=RevisionDetail)
def cancel(request: HttpRequest, name: str, version: str) -> Revision:
    """Stop the pipeline. Owners only."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.change_revision", revision, what="cancel this revision")
    cancel_revision(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.get(f"{_REVISION}/allowed-hosts", response=AllowedHosts)
def get_allowed_hosts(request: HttpRequest, name: str, version: str) -> dict[str, Any]:
    """The hosts that the model may reach. Owners and administrators."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.view_allowed_hosts", revision, what="see which hosts this revision may reach")
    return {"hosts": revision.allowed_hosts}


@router.put(f"{_REVISION}/allowed-hosts", response=AllowedHosts)
def put_allowed_hosts(request: HttpRequest, name: str, version: str, body: AllowedHosts) -> dict[str, Any]:
    """Let the model reach these hosts and no others, from its next deployment on. Administrators only."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "registry.change_allowed_hosts", revision, what="allow this revision any host")
    return {"hosts": change_allowed_hosts(actor=caller.actor, revision=revision, hosts=body.hosts)}


@router.get(f"{_REVISION}/events", response=Timeline)
def list_events(
    request: HttpRequest, name: str, version: str, after: Annotated[int, Query(ge=0)] = 0
) -> dict[str, Any]:
    """The timeline: every status with its duration, oldest first; `after` leaves out events up to that id."""
    revision = get_revision(caller_of(request).user, name, version)
    entries = [
        dataclasses.asdict(entry) | {"actor": entry.actor_label} for entry in timeline(revision) if entry.id > after
    ]
    return {"status": revision.status, "is_final": revision.get_status().is_final, "items": entries}


def _detail(request: HttpRequest, name: str, version: str) -> Revision:
    return get_revision(caller_of(request).user, name, version)
