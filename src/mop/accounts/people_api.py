"""API of people, invitations and sessions, for administrators, and of one's own sessions."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.access_ends import end_access, end_session, end_sessions
from mop.accounts.belongings import belongings_of, hand_over
from mop.accounts.links import (
    get_invitation,
    invitation_link,
    invite,
    mail_invitation,
    open_invitations,
    reset_link,
    withdraw_invitation,
)
from mop.accounts.listing import list_page
from mop.accounts.models import Invitation, SignIn, User
from mop.accounts.people_schemas import (
    BelongingsOut,
    EndedOut,
    InvitationCreated,
    InvitationIn,
    InvitationOut,
    LinkOut,
    ReassignIn,
    ReassignOut,
    SessionOut,
    ThingOut,
    UserDetail,
    UserPage,
    UserPatch,
)
from mop.accounts.references import field_renamed, named_in
from mop.accounts.rules import authorise
from mop.accounts.second_factors import remove_second_factors
from mop.accounts.selectors import get_person, get_session, get_team, get_user, people_for_list, sessions_of
from mop.accounts.services import change_access
from mop.areas.scopes import ALL_WRITE, covers
from mop.errors import NotAllowedError

router = Router(tags=["people"])
_USER = "/users/{username}"
WHY = "by an administrator"


@router.get("/users", response=UserPage)
def list_users(
    request: HttpRequest,
    search: Annotated[str, Query(max_length=150)] = "",
    which: Literal["", "enabled", "disabled", "administrators"] = "",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """People by user name; `which`: only enabled accounts, disabled ones, or administrators. Administrators only."""
    _administrator(request)
    people = people_for_list(search=search, which=which)
    page = list_page(people, field="username", descending=False, cursor=cursor, limit=limit)
    return {**page, "items": [_row(person) for person in page["items"]]}


@router.get(_USER, response=UserDetail)
def get_one_user(request: HttpRequest, username: str) -> UserDetail:
    """One person: how they sign in, their role and teams, what they own. Administrators only."""
    _administrator(request)
    return _detail(get_person(username))


@router.patch(_USER, response=UserDetail)
def patch_user(request: HttpRequest, username: str, body: UserPatch) -> UserDetail:
    """Enable or disable an account, or change its role. Administrators only, and never the last of them.

    To make an administrator, a token needs the scope `all:write`.
    """
    caller = _administrator(request)
    person = get_person(username)
    if body.is_administrator:
        _may_give_everything(caller, "make an administrator")
    change_access(actor=caller.actor, user=person, is_active=body.is_active, is_administrator=body.is_administrator)
    return _detail(get_person(username))


@router.get(f"{_USER}/sessions", response=list[SessionOut])
def list_sessions_of(request: HttpRequest, username: str) -> list[SignIn]:
    """Where a person is signed in to the portal, the session seen last first. Administrators only."""
    _administrator(request)
    return list(sessions_of(get_person(username)))


@router.delete(f"{_USER}/access", response={204: None})
def end_access_of(request: HttpRequest, username: str) -> Status[None]:
    """End all sessions and tokens of a person, who may sign in again. Administrators only."""
    caller = _administrator(request)
    end_access(actor=caller.actor, user=get_person(username), why=WHY)
    return Status(204, None)


@router.delete(f"{_USER}/second-factors", response={204: None})
def remove_second_factors_of(request: HttpRequest, username: str) -> Status[None]:
    """Take all second factors from a person who lost them. Administrators only; a token needs `all:write`."""
    caller = _administrator(request)
    person = get_person(username)
    _may_give_everything(caller, "remove second factors")
    remove_second_factors(actor=caller.actor, user=person)
    return Status(204, None)


@router.post(f"{_USER}/reset-link", response={201: LinkOut})
def make_reset_link(request: HttpRequest, username: str) -> Status[LinkOut]:
    """Make a link that sets a new password, for an administrator to hand over. A token needs `all:write`."""
    caller = _administrator(request)
    person = get_person(username)
    _may_give_everything(caller, "make a link for a new password")
    link = reset_link(request, actor=caller.actor, user=person)
    ends = timezone.now() + dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return Status(201, LinkOut(link=link, expires_at=ends))


@router.post(f"{_USER}/reassign", response=ReassignOut)
def reassign(request: HttpRequest, username: str, body: ReassignIn) -> ReassignOut:
    """Make somebody else the owner of all that a person owns. Administrators only."""
    caller = _administrator(request)
    person = get_person(username)
    with named_in("to"):
        other = get_user(body.to)
    with field_renamed("username", "to"):
        return ReassignOut(things=hand_over(actor=caller.actor, user=person, to=other))


@router.get("/invitations", response=list[InvitationOut])
def list_invitations(request: HttpRequest) -> list[dict[str, Any]]:
    """Invitations that can still be used, the newest first. Administrators only."""
    _administrator(request)
    return [_invitation(one) for one in open_invitations()]


@router.post("/invitations", response={201: InvitationCreated})
def add_invitation(request: HttpRequest, body: InvitationIn) -> Status[InvitationCreated]:
    """Make a link by which one person makes an account, within seven days. Administrators only.

    To invite an administrator, a token needs the scope `all:write`.
    """
    caller = _administrator(request)
    if body.is_administrator:
        _may_give_everything(caller, "invite an administrator")
    team = None
    if body.team is not None:
        with named_in("team"):
            team = get_team(caller.user, body.team)
    made, secret = invite(
        actor=caller.actor, by=caller.user, email=body.email, team=team, is_administrator=body.is_administrator
    )
    link = invitation_link(request, secret)
    is_mailed = bool(mail_invitation(made, link))
    shown = _invitation(open_invitations().get(pk=made.pk))
    return Status(201, InvitationCreated(**shown, link=link, is_mailed=is_mailed))


@router.delete("/invitations/{invitation_id}", response={204: None})
def end_invitation(request: HttpRequest, invitation_id: int) -> Status[None]:
    """Withdraw an invitation: its link stops working. Administrators only."""
    caller = _administrator(request)
    withdraw_invitation(actor=caller.actor, invitation=get_invitation(invitation_id))
    return Status(204, None)


@router.get("/sessions", response=list[SessionOut])
def list_sessions(request: HttpRequest) -> list[SignIn]:
    """Where the caller is signed in to the portal, the session seen last first."""
    return list(sessions_of(caller_of(request).user))


@router.delete("/sessions/{session_id}", response={204: None})
def end_one_session(request: HttpRequest, session_id: int) -> Status[None]:
    """End one of the caller's sessions."""
    end_session(get_session(caller_of(request).user, session_id))
    return Status(204, None)


@router.delete("/sessions", response=EndedOut)
def end_all_sessions(request: HttpRequest) -> EndedOut:
    """End the caller's sessions, but the one that asks."""
    caller = caller_of(request)
    keep = "" if caller.token else request.session.session_key or ""
    return EndedOut(ended=end_sessions(actor=caller.actor, user=caller.user, keep=keep, why="signed out elsewhere"))


def _administrator(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    authorise(caller.user, "accounts.define", what="manage people")
    return caller


def _may_give_everything(caller: Caller, what: str) -> None:
    """Refuse a token that would let somebody do more than it may do itself.

    Raises:
        NotAllowedError: the token lacks scopes.
    """
    if caller.token is not None and not covers(caller.token.scopes, ALL_WRITE):
        raise NotAllowedError(
            f"To {what}, a token needs the scope {ALL_WRITE}: it gives access without limits.",
            hint=f"Use a token with the scope {ALL_WRITE}, or the portal.",
        )


def _row(person: User) -> dict[str, Any]:
    """A person of `people_for_list`."""
    by_password = "password" if person.has_usable_password() else "nothing"
    return {
        "username": person.username,
        "name": person.get_full_name(),
        "email": person.email,
        "is_active": person.is_active,
        "is_administrator": person.is_superuser,
        "signs_in_by": "provider" if getattr(person, "is_of_provider", False) else by_password,
        "teams": sorted(team.name for team in person.teams.all()),
        "joined_at": person.date_joined,
        "last_sign_in_at": person.last_login,
    }


def _detail(person: User) -> UserDetail:
    return UserDetail(
        **_row(person),
        second_factors=[str(one.get_type_display()) for one in Authenticator.objects.filter(user=person)],
        session_count=sessions_of(person).count(),
        token_count=person.tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).count(),
        belongings=[
            BelongingsOut(label=one.label, things=[ThingOut(name=name, page=page) for name, page in one.things])
            for one in belongings_of(person)
        ],
    )


def _invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "team": invitation.team.name if invitation.team else None,
        "is_administrator": invitation.is_administrator,
        "created_by": invitation.created_by.username,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }
