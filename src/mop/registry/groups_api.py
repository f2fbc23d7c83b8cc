"""API of groups of models."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_team, get_user
from mop.errors import ValidationFailedError
from mop.registry.etags import asked_edition, put_etag
from mop.registry.group_models import GroupShare, ModelGroup
from mop.registry.groups import (
    add_to_group,
    create_group,
    delete_group,
    get_group,
    get_share,
    list_group,
    remove_from_group,
    rename_group,
    share_group,
    unshare_group,
    visible_groups,
)
from mop.registry.schemas import GroupIn, GroupList, GroupOut, GroupPatch, ShareIn, ShareOut
from mop.registry.selectors import get_model

router = Router(tags=["groups"])
_GROUP = "/groups/{group_id}"


@router.get("/groups", response=GroupList)
def list_groups(request: HttpRequest) -> dict[str, Any]:
    """The caller's groups and those shared with them, those too that they removed from their list."""
    return {"items": list(visible_groups(caller_of(request).user).prefetch_related("shares__user", "shares__team"))}


@router.post("/groups", response={201: GroupOut})
def add_group(request: HttpRequest, body: GroupIn) -> Status[ModelGroup]:
    """Make a group of models."""
    caller = caller_of(request)
    authorise(caller.user, "registry.create_group", what="make groups")
    group = create_group(actor=caller.actor, user=caller.user, name=body.name)
    return Status(201, get_group(caller.user, group.pk))


@router.get(_GROUP, response=GroupOut)
def get_one_group(request: HttpRequest, response: HttpResponse, group_id: int) -> ModelGroup:
    """One group. Its models are listed by `/models?group=`."""
    group = get_group(caller_of(request).user, group_id)
    put_etag(response, group)
    return group


@router.patch(_GROUP, response=GroupOut)
def patch_group(request: HttpRequest, response: HttpResponse, group_id: int, body: GroupPatch) -> ModelGroup:
    """Rename a group (its owner; with `If-Match` if nobody did since), or put it into or out of the caller's list."""
    caller = caller_of(request)
    group = get_group(caller.user, group_id)
    if body.name is not None:
        _authorise(caller, group)
        rename_group(actor=caller.actor, group=group, name=body.name, edition=asked_edition(request))
    if body.is_listed is not None:
        list_group(user=caller.user, group=group, is_listed=body.is_listed)
    found = get_group(caller.user, group_id)
    put_etag(response, found)
    return found


@router.delete(_GROUP, response={204: None})
def remove_group(request: HttpRequest, group_id: int) -> Status[None]:
    """Delete a group, for everybody; its models stay. Its owner only."""
    caller = caller_of(request)
    group = get_group(caller.user, group_id)
    _authorise(caller, group)
    delete_group(actor=caller.actor, group=group)
    return Status(204, None)


@router.put(f"{_GROUP}/models/{{name}}", response={204: None})
def put_model(request: HttpRequest, group_id: int, name: str) -> Status[None]:
    """Put a model into a group. The group's owner only."""
    caller = caller_of(request)
    group = get_group(caller.user, group_id)
    _authorise(caller, group)
    add_to_group(group=group, models=[get_model(caller.user, name)])
    return Status(204, None)


@router.delete(f"{_GROUP}/models/{{name}}", response={204: None})
def take_model(request: HttpRequest, group_id: int, name: str) -> Status[None]:
    """Take a model out of a group. The group's owner only."""
    caller = caller_of(request)
    group = get_group(caller.user, group_id)
    _authorise(caller, group)
    remove_from_group(group=group, models=[get_model(caller.user, name)])
    return Status(204, None)


@router.post(f"{_GROUP}/shares", response={201: ShareOut})
def add_share(request: HttpRequest, group_id: int, body: ShareIn) -> Status[GroupShare]:
    """Show a group to a user or a team; it gives no access to its models. Its owner only."""
    caller = caller_of(request)
    group = get_group(caller.user, group_id)
    _authorise(caller, group)
    if (body.username is None) == (body.team is None):
        message = "Give a user name or a team."
        raise ValidationFailedError(f"username: {message}", fields={"username": [message]})
    user = team = None
    if body.username is not None:
        with named_in("username"):
            user = get_user(body.username)
    else:
        with named_in("team"):
            team = get_team(caller.user, str(body.team))
    return Status(201, share_group(actor=caller.actor, group=group, user=user, team=team))


@router.delete(f"{_GROUP}/shares/{{share_id}}", response={204: None})
def remove_share(request: HttpRequest, group_id: int, share_id: int) -> Status[None]:
    """Show a group no longer to a user or team. Its owner only."""
    caller = caller_of(request)
    group = get_group(caller.user, group_id)
    _authorise(caller, group)
    unshare_group(actor=caller.actor, share=get_share(group, share_id))
    return Status(204, None)


def _authorise(caller: Caller, group: ModelGroup) -> None:
    authorise(caller.user, "registry.change_group", group, what="change this group")
