"""What the server answers administrators about people and teams, as types."""

from __future__ import annotations

from typing import Literal, TypedDict

from mop_client.documents import Team


class User(TypedDict):
    """A person with an account."""

    username: str
    name: str
    email: str
    is_active: bool
    is_administrator: bool
    signs_in_by: Literal["password", "provider", "nothing"]
    teams: list[str]
    joined_at: str
    last_sign_in_at: str | None


class Thing(TypedDict):
    """Something that a person owns, and its page in the portal."""

    name: str
    page: str


class Belongings(TypedDict):
    """Things of one kind that a person owns."""

    label: str
    things: list[Thing]


class UserDetail(User):
    """A person with what lets them in, and what they own."""

    second_factors: list[str]
    session_count: int
    token_count: int
    belongings: list[Belongings]


class Session(TypedDict):
    """A session of the portal."""

    id: int
    created_at: str
    seen_at: str
    address: str
    browser: str


class Link(TypedDict):
    """A link that works once."""

    link: str
    expires_at: str


class Invitation(TypedDict):
    """An invitation that can still be used."""

    id: int
    email: str
    team: str | None
    is_administrator: bool
    created_by: str
    created_at: str
    expires_at: str


class NewInvitation(Invitation):
    """A new invitation; its link is in this answer alone."""

    link: str
    is_mailed: bool


class Quota(TypedDict):
    """What a team may use, and uses. `limit` is None where there is none; `is_own`: an administrator gave it."""

    name: str
    label: str
    unit: str
    used: int
    limit: int | None
    is_own: bool


class TeamDetail(Team):
    """A team with its members and quotas; None where you are neither a member nor an administrator."""

    members: list[str] | None
    quotas: list[Quota] | None


class Token(TypedDict):
    """A personal access token of yours, without its secret."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None
    made_by: int | None


class NewToken(Token):
    """A new token with its secret, which is given once."""

    secret: str
