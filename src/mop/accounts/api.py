"""API of the caller and their tokens, and people by name."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.models import PersonalAccessToken
from mop.accounts.rules import authorise
from mop.accounts.schemas import MeOut, PeopleOut, TokenCreated, TokenIn, TokenOut, TokenRotation
from mop.accounts.selectors import get_token, search_people, tokens_of
from mop.accounts.token_services import create_token, revoke_token, rotate_token
from mop.areas.scopes import ALL_WRITE

router = Router(tags=["accounts"])


@router.get("/me", response=MeOut)
def me(request: HttpRequest) -> MeOut:
    """Who the caller is, their teams, and the scopes of the token (a session has all)."""
    caller = caller_of(request)
    return MeOut(
        username=caller.user.username,
        is_administrator=caller.user.is_administrator,
        teams=list(caller.user.teams.order_by("is_personal", "name").values_list("name", flat=True)),
        scopes=caller.token.scopes if caller.token else [ALL_WRITE],
    )


@router.get("/people", response=PeopleOut)
def list_people(request: HttpRequest, search: Annotated[str, Query(max_length=150)] = "") -> dict[str, Any]:
    """Up to ten people whose user name or name holds two letters or more, to make them owners or share a group."""
    caller_of(request)
    return {"items": [{"username": one.username, "name": one.get_full_name()} for one in search_people(search)]}


@router.get("/tokens", response=list[TokenOut])
def list_tokens(request: HttpRequest) -> list[PersonalAccessToken]:
    """The caller's tokens, newest first; with a token: itself and what was made with it."""
    caller = caller_of(request)
    return list(tokens_of(caller.user, seen_by=caller.token))


@router.post("/tokens", response={201: TokenCreated})
def add_token(request: HttpRequest, body: TokenIn) -> Status[TokenCreated]:
    """A new token and its secret, shown this once.

    One that is made with a token has no further scopes, lives no longer than that token and ends with it.
    """
    caller = caller_of(request)
    authorise(caller.user, "accounts.create_token", what="create tokens")
    token, secret = create_token(actor=caller.actor, user=caller.user, made_by=caller.token, **body.dict())
    return Status(201, _created(token, secret))


@router.post("/tokens/{token_id}/rotate", response={201: TokenCreated})
def replace_token(request: HttpRequest, token_id: int, body: TokenRotation) -> Status[TokenCreated]:
    """A new secret in place of a token's, with the same name and scopes. With a token, the date of its end stays."""
    caller = caller_of(request)
    token = get_token(caller.user, token_id, seen_by=caller.token)
    authorise(caller.user, "accounts.revoke_token", token, what="replace this token")
    fresh, secret = rotate_token(actor=caller.actor, token=token, by=caller.token, **body.dict())
    return Status(201, _created(fresh, secret))


@router.delete("/tokens/{token_id}", response={204: None})
def end_token(request: HttpRequest, token_id: int) -> Status[None]:
    """Revoke one of the caller's tokens, and what was made with it; with a token: itself or one made with it."""
    caller = caller_of(request)
    token = get_token(caller.user, token_id, seen_by=caller.token)
    authorise(caller.user, "accounts.revoke_token", token, what="revoke this token")
    revoke_token(actor=caller.actor, token=token)
    return Status(204, None)


def _created(token: PersonalAccessToken, secret: str) -> TokenCreated:
    return TokenCreated(secret=secret, **TokenOut.from_orm(token).dict(by_alias=True))
