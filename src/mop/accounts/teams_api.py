"""API of teams and their members."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import caller_of
from mop.accounts.models import Team, User
from mop.accounts.quotas import Standing, get_quota, set_limit, standings_of
from mop.accounts.rules import authorise
from mop.accounts.schemas import LimitIn, QuotaOut, TeamDetail, TeamIn, TeamOut, TeamPatch
from mop.accounts.selectors import get_team, get_user, visible_teams
from mop.accounts.services import add_member, create_team, remove_member
from mop.accounts.teams import change_team, delete_team
from mop.errors import NotFoundError

router = Router(tags=["teams"])
_TEAM = "/teams/{path:name}"  # a team's name may hold a slash
_MEMBER = "/teams/{path:name}/members/{username}"


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


@router.put(_MEMBER, response={204: None})
def put_member(request: HttpRequest, name: str, username: str) -> Status[None]:
    """Put a person into a team. Administrators only."""
    caller = caller_of(request)
    team = get_team(caller.user, name)
    authorise(caller.user, "accounts.define", what="define teams")
    add_member(actor=caller.actor, team=team, user=get_user(username))
    return Status(204, None)


@router.delete(_MEMBER, response={204: None})
def take_member(request: HttpRequest, name: str, username: str) -> Status[None]:
    """Take a person out of a team; one left without a team gets a personal one. Administrators only."""
    caller = caller_of(request)
    team = get_team(caller.user, name)
    authorise(caller.user, "accounts.define", what="define teams")
    member: User | None = team.members.filter(username=username).first()  # also one whose account is disabled
    if member is None:
        raise NotFoundError(f"{username} is not in {team.name}.")
    remove_member(actor=caller.actor, team=team, user=member)
    return Status(204, None)


@router.put(f"{_TEAM}/quotas/{{quota}}", response=TeamDetail)
def put_limit(request: HttpRequest, name: str, quota: str, body: LimitIn) -> TeamDetail:
    """Give a team a limit of its own, or that of the installation again. Administrators only."""
    caller = caller_of(request)
    team = get_team(caller.user, name)
    authorise(caller.user, "accounts.define", what="define teams")
    set_limit(actor=caller.actor, team=team, quota=get_quota(quota), limit=body.limit)
    return _detail(caller.user, name)


@router.get(_TEAM, response=TeamDetail)
def get_one_team(request: HttpRequest, name: str) -> TeamDetail:
    """One team. Its members, and what it uses of its quotas, are shown to members and administrators."""
    return _detail(caller_of(request).user, name)


@router.patch(_TEAM, response=TeamDetail)
def patch_team(request: HttpRequest, name: str, body: TeamPatch) -> TeamDetail:
    """Give a team another name or description. Administrators only."""
    caller = caller_of(request)
    team = get_team(caller.user, name)
    authorise(caller.user, "accounts.define", what="define teams")
    change_team(actor=caller.actor, team=team, name=body.name, description=body.description)
    return _detail(caller.user, team.name)


@router.delete(_TEAM, response={204: None})
def remove_team(request: HttpRequest, name: str) -> Status[None]:
    """Delete a team that has nothing; else the answer names what stands in the way. Administrators only."""
    caller = caller_of(request)
    team = get_team(caller.user, name)
    authorise(caller.user, "accounts.define", what="define teams")
    delete_team(actor=caller.actor, team=team)
    return Status(204, None)


def _detail(user: User, name: str) -> TeamDetail:
    team = get_team(user, name)
    shown = TeamOut.from_orm(team)
    sees_members = user.is_administrator or shown.is_member
    members = list(team.members.order_by("username").values_list("username", flat=True)) if sees_members else None
    quotas = [_quota(one) for one in standings_of(team)] if sees_members else None
    return TeamDetail(**shown.dict(), members=members, quotas=quotas)


def _quota(standing: Standing) -> QuotaOut:
    return QuotaOut(
        name=standing.quota.name,
        label=standing.quota.label,
        unit=standing.quota.unit,
        used=standing.used,
        limit=standing.limit or None,
        is_own=standing.is_own,
    )
