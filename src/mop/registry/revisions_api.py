"""API of versions: create, read, retry, cancel, delete, and their timeline."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.listing import list_page
from mop.accounts.rules import authorise
from mop.registry.allowed_hosts import change_allowed_hosts
from mop.registry.api_inputs import revision_input
from mop.registry.editing import change_note
from mop.registry.etags import asked_edition, put_etag
from mop.registry.models import Revision
from mop.registry.proposals import propose_next_revision
from mop.registry.publishing import publish_revision, set_outdated, unpublish_revision
from mop.registry.schemas import AllowedHosts, RevisionDetail, RevisionIn, RevisionPage, RevisionPatch, Timeline
from mop.registry.selectors import get_model, get_revision, visible_revisions
from mop.registry.services import cancel_revision, create_revision, delete_revision, retry_revision
from mop.registry.told import tell_revision, told_timeline

router = Router(tags=["revisions"])
_REVISION = "/models/{name}/revisions/{version}"


@router.get("/models/{name}/revisions", response=RevisionPage)
def list_revisions(
    request: HttpRequest, name: str, cursor: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> dict[str, Any]:
    """Versions of a model that the caller may see, newest first."""
    user = caller_of(request).user
    model = get_model(user, name)
    revisions = visible_revisions(user).filter(model=model)
    page = list_page(revisions, field="created_at", descending=True, cursor=cursor, limit=limit)
    if failed := [revision for revision in page["items"] if revision.error]:
        prefetch_related_objects([model], "owners")  # which is asked of each of them
    for revision in failed:
        revision.model = model
        tell_revision(user, revision)
    return page


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
def get_one_revision(request: HttpRequest, response: HttpResponse, name: str, version: str) -> Revision:
    """One version, with its place in the queue while it waits. Its ETag changes with what people edit of it."""
    revision = _detail(request, name, version)
    put_etag(response, revision)
    return revision


@router.patch(_REVISION, response=RevisionDetail)
def patch_revision(
    request: HttpRequest, response: HttpResponse, name: str, version: str, body: RevisionPatch
) -> Revision:
    """Change a version's note; with `If-Match` only what nobody edited since. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.change_revision", what="change this version")
    change_note(actor=caller.actor, revision=revision, note=body.note, edition=asked_edition(request))
    changed = _detail(request, name, version)
    put_etag(response, changed)
    return changed


@router.delete(_REVISION, response={204: None})
def remove_revision(request: HttpRequest, name: str, version: str) -> Status[None]:
    """Delete a version with its results; stops what runs. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.delete_revision", what="delete this version")
    delete_revision(actor=caller.actor, revision=revision)
    return Status(204, None)


@router.post(f"{_REVISION}/retry", response=RevisionDetail)
def retry(request: HttpRequest, name: str, version: str) -> Revision:
    """Run the pipeline again on the version's snapshot. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.change_revision", what="retry this version")
    retry_revision(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.post(f"{_REVISION}/cancel", response=RevisionDetail)
def cancel(request: HttpRequest, name: str, version: str) -> Revision:
    """Stop the pipeline. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.change_revision", what="cancel this version")
    cancel_revision(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.post(f"{_REVISION}/publish", response=RevisionDetail)
def publish(request: HttpRequest, name: str, version: str) -> Revision:
    """Let everybody see a verified version and its model. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.publish_revision", what="publish this version")
    publish_revision(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.post(f"{_REVISION}/unpublish", response=RevisionDetail)
def unpublish(request: HttpRequest, name: str, version: str) -> Revision:
    """Let owners and administrators alone see a version. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.publish_revision", what="make this version private")
    unpublish_revision(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.post(f"{_REVISION}/outdated", response=RevisionDetail)
def outdated(request: HttpRequest, name: str, version: str) -> Revision:
    """Set a version aside, for good. Owners only."""
    caller, revision = _allowed(request, name, version, "registry.change_revision", what="set this version aside")
    set_outdated(actor=caller.actor, revision=revision)
    return _detail(request, name, version)


@router.get(f"{_REVISION}/allowed-hosts", response=AllowedHosts)
def get_allowed_hosts(request: HttpRequest, name: str, version: str) -> dict[str, Any]:
    """The hosts that the model may reach. Owners and administrators."""
    _, revision = _allowed(
        request, name, version, "registry.view_allowed_hosts", what="see which hosts this version may reach"
    )
    return {"hosts": revision.allowed_hosts}


@router.put(f"{_REVISION}/allowed-hosts", response=AllowedHosts)
def put_allowed_hosts(request: HttpRequest, name: str, version: str, body: AllowedHosts) -> dict[str, Any]:
    """Let the model reach these hosts and no others, from its next deployment on. Administrators only."""
    caller, revision = _allowed(
        request, name, version, "registry.change_allowed_hosts", what="allow this version any host"
    )
    return {"hosts": change_allowed_hosts(actor=caller.actor, revision=revision, hosts=body.hosts)}


@router.get(f"{_REVISION}/events", response=Timeline)
def list_events(
    request: HttpRequest, name: str, version: str, after: Annotated[int, Query(ge=0)] = 0
) -> dict[str, Any]:
    """The timeline: every status with its duration, oldest first; `after` leaves out events up to that id."""
    user = caller_of(request).user
    revision = get_revision(user, name, version)
    entries = [
        dataclasses.asdict(entry) | {"actor": entry.actor_label}
        for entry in told_timeline(user, revision)
        if entry.id > after
    ]
    return {"status": revision.status, "is_final": revision.get_status().is_final, "items": entries}


def _allowed(request: HttpRequest, name: str, version: str, permission: str, *, what: str) -> tuple[Caller, Revision]:
    """Who asks, and a version that they see, once the permission let them do `what` with it.

    Raises:
        NotFoundError: they see no such version.
        NotAllowedError: they see it but may not do this.
    """
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, permission, revision, what=what)
    return caller, revision


def _detail(request: HttpRequest, name: str, version: str) -> Revision:
    user = caller_of(request).user
    return tell_revision(user, get_revision(user, name, version))
