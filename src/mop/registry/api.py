"""API of models and their owners."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_user
from mop.registry.api_inputs import connection_inputs, revision_input, team_for
from mop.registry.models import Model, Revision
from mop.registry.proposals import propose_first_revision, propose_name
from mop.registry.schemas import ModelIn, ModelOut, ModelPage, ModelPatch, OwnerIn, RevisionDetail, SortName
from mop.registry.selectors import get_listed_model, get_model, get_owner, get_revision_by_id, models_for_list, sort_of
from mop.registry.services import add_owner, change_description, create_model, delete_model, remove_owner
from mop.registry.statuses import RevisionStatus

router = Router(tags=["models"])


@router.get("/models", response=ModelPage)
def list_models(
    request: HttpRequest,
    search: str = "",
    status: RevisionStatus | str = "",
    owned: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    sort: SortName = "name",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Models that the caller may see."""
    user = caller_of(request).user
    models = models_for_list(user, search=search, status=status, owned=owned).select_related("created_by")
    field, descending = sort_of(sort)
    return list_page(models, field=field, descending=descending, cursor=cursor, limit=limit)


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
        team=team_for(caller, body.team),
        connections=connection_inputs(body.connections),
        revision=revision_input(body, propose_first_revision()),
    )
    return Status(201, get_revision_by_id(caller.user, revision.pk))


@router.get("/models/{name}", response=ModelOut)
def get_one_model(request: HttpRequest, name: str) -> Model:
    """One model by name."""
    return get_listed_model(caller_of(request).user, name)


@router.patch("/models/{name}", response=ModelOut)
def patch_model(request: HttpRequest, name: str, body: ModelPatch) -> Model:
    """Change a model's description. Owners only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.change_model", model, what="change this model")
    change_description(actor=caller.actor, model=model, description=body.description)
    return get_listed_model(caller.user, name)


@router.delete("/models/{name}", response={204: None})
def remove_model(request: HttpRequest, name: str) -> Status[None]:
    """Delete a model with all its versions and results; stops what runs. Owners only."""
    caller = caller_of(request)
    model = get_model(caller.user, name)
    authorise(caller.user, "registry.delete_model", model, what="delete this model")
    delete_model(actor=caller.actor, model=model)
    return Status(204, None)


@router.post("/models/{name}/owners", response={201: ModelOut})
def post_owner(request: HttpRequest, name: str, body: OwnerIn) -> Status[Model]:
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
