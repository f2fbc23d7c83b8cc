"""API of models and their owners."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import not_a_cursor
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.schemas import OwnerIn
from mop.accounts.selectors import get_user
from mop.errors import NotFoundError, ValidationFailedError
from mop.registry.api_inputs import connection_inputs, revision_input, team_for
from mop.registry.editing import change_model
from mop.registry.etags import asked_edition, put_etag
from mop.registry.groups import get_group
from mop.registry.listing import MINE, ListedModel, ModelList, ModelQuery, get_listed_model
from mop.registry.models import Revision
from mop.registry.proposals import propose_first_revision, propose_name
from mop.registry.schemas import ModelFilter, ModelIn, ModelOut, ModelPage, ModelPatch, RevisionDetail
from mop.registry.selectors import get_model, get_owner, get_revision_by_id
from mop.registry.services import add_owner, create_model, delete_model, remove_owner

router = Router(tags=["models"])


@router.get("/models", response=ModelPage)
def list_models(
    request: HttpRequest,
    filters: Annotated[ModelFilter, Query()],
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Models that the caller may see."""
    user = caller_of(request).user
    asked = ModelQuery(**filters.dict(exclude={"owned"}))
    if filters.owned:
        if filters.group:
            raise ValidationFailedError("owned: Leave out `group`.", fields={"owned": ["Leave out `group`."]})
        asked = ModelQuery(**filters.dict(exclude={"owned", "group"}), group=MINE)
    if asked.group not in {"", MINE}:
        with named_in("group"):
            if not asked.group.isascii() or not asked.group.isdigit() or len(asked.group) > 18:  # noqa: PLR2004 - no id
                raise NotFoundError(f"There is no group {asked.group!r} that you may see.")
            get_group(user, int(asked.group))
    page = ModelList(user, asked).page(cursor=cursor, size=limit)
    if cursor and page.rows and not page.previous:  # an unreadable cursor shows the first page: a script would loop
        raise not_a_cursor()
    prefetch_related_objects([row.model for row in page.rows], "tags")
    return {"items": page.rows, "next": page.following or None}


@router.post("/models", response={201: RevisionDetail})
def add_model(request: HttpRequest, body: ModelIn) -> Status[Revision]:
    """Add a model with its first version and start its pipeline; a url and a task suffice."""
    caller = caller_of(request)
    authorise(caller.user, "registry.create_model", what="create models")
    revision = create_model(
        actor=caller.actor,
        user=caller.user,
        name=body.name if body.name is not None else propose_name(caller.user),
        description=body.description,
        intended_use=body.intended_use,
        limits=body.limits,
        team=team_for(caller, body.team),
        connections=connection_inputs(body.connections),
        revision=revision_input(body, propose_first_revision()),
    )
    return Status(201, get_revision_by_id(caller.user, revision.pk))


@router.get("/models/{name}", response=ModelOut)
def get_one_model(request: HttpRequest, response: HttpResponse, name: str) -> ListedModel:
    """One model by name. Its ETag changes with its texts and tags."""
    return _told(response, get_listed_model(caller_of(request).user, name))


@router.patch("/models/{name}", response=ModelOut)
def patch_model(request: HttpRequest, response: HttpResponse, name: str, body: ModelPatch) -> ListedModel:
    """Change a model's texts or tags; with `If-Match` only what nobody edited since. Owners only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.change_model", model, what="change this model")
    change_model(
        actor=caller.actor,
        model=model,
        description=body.description,
        intended_use=body.intended_use,
        limits=body.limits,
        tags=body.tags,
        edition=asked_edition(request),
    )
    return _told(response, get_listed_model(caller.user, name))


@router.delete("/models/{name}", response={204: None})
def remove_model(request: HttpRequest, name: str) -> Status[None]:
    """Delete a model with all its versions and results; stops what runs. Owners only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.delete_model", model, what="delete this model")
    delete_model(actor=caller.actor, model=model)
    return Status(204, None)


@router.post("/models/{name}/owners", response={201: ModelOut})
def post_owner(request: HttpRequest, name: str, body: OwnerIn) -> Status[ListedModel]:
    """Make a user an owner. Owners and administrators."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.change_owners", model, what="change the owners of this model")
    with named_in("username"):
        user = get_user(body.username)
    add_owner(actor=caller.actor, model=model, user=user)
    return Status(201, get_listed_model(caller.user, name))


@router.delete("/models/{name}/owners/{username}", response={204: None})
def delete_owner(request: HttpRequest, name: str, username: str) -> Status[None]:
    """Take a user off the owners; never the last one. Owners and administrators."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.change_owners", model, what="change the owners of this model")
    remove_owner(actor=caller.actor, model=model, user=get_owner(model, username))
    return Status(204, None)


def _told(response: HttpResponse, listed: ListedModel) -> ListedModel:
    put_etag(response, listed.model)
    return listed
