"""API of the caller, their tokens, and teams."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of, require_session
from mop.accounts.models import PersonalAccessToken, Team, TokenScope
from mop.accounts.rules import authorise
from mop.accounts.schemas import MeOut, PeopleOut, TeamIn, TeamOut, TokenCreated, TokenIn, TokenOut
from mop.accounts.selectors import get_team, get_token, search_people, tokens_of, visible_teams
from mop.accounts.services import create_team, create_token, revoke_token

router = Router(tags=["accounts"])


@router.get("/me", response=MeOut)
def me(request: HttpRequest) -> MeOut:
    """Who the caller is, their teams, and the scope of the token (a session writes)."""
    caller = caller_of(request)
    return MeOut(
        username=caller.user.username,
        is_administrator=caller.user.is_administrator,
        teams=list(caller.user.teams.order_by("is_personal", "name").values_list("name", flat=True)),
        scope=TokenScope(caller.token.scope) if caller.token else TokenScope.WRITE,
    )


@router.get("/people", response=PeopleOut)
def list_people(request: HttpRequest, search: Annotated[str, Query(max_length=150)] = "") -> dict[str, Any]:
    """Up to ten people whose user name or name holds two letters or more, to make them owners or share a group."""
    caller_of(request)
    return {"items": [{"username": one.username, "name": one.get_full_name()} for one in search_people(search)]}


@router.get("/tokens", response=list[TokenOut])
def list_tokens(request: HttpRequest) -> list[PersonalAccessToken]:
    """The caller's tokens, newest first. By session only."""
    caller = caller_of(request)
    require_session(caller, "list tokens")
    return list(tokens_of(caller.user))


@router.post("/tokens", response={201: TokenCreated})
def add_token(request: HttpRequest, body: TokenIn) -> Status[TokenCreated]:
    """A new token and its secret, shown this once. By session only: a stolen token can not make others."""
    caller = caller_of(request)
    require_session(caller, "create tokens")
    authorise(caller.user, "accounts.create_token", what="create tokens")
    token, secret = create_token(actor=caller.actor, user=caller.user, **body.dict())
    return Status(201, TokenCreated(secret=secret, **TokenOut.from_orm(token).dict()))


@router.delete("/tokens/{token_id}", response={204: None})
def end_token(request: HttpRequest, token_id: int) -> Status[None]:
    """Revoke one of the caller's tokens. By session only."""
    caller = caller_of(request)
    require_session(caller, "revoke tokens")
    token = get_token(caller.user, token_id)
    authorise(caller.user, "accounts.revoke_token", token, what="revoke this token")
    revoke_token(actor=caller.actor, token=token)
    return Status(204, None)


@router.get("/teams", response=list[TeamOut])
def list_teams(request: HttpRequest) -> list[Team]:
    """Teams by name: shared ones and the caller's own."""
    return list(visible_teams(caller_of(request).user))


@router.post("/teams", response={201: TeamOut})
def add_team(request: HttpRequest, body: TeamIn) -> Status[Team]:
    """Add a team. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "accounts.define", what="create teams")
    create_team(actor=caller.actor, **body.dict())
    return Status(201, get_team(caller.user, body.name))
