"""What the API takes and gives about people, invitations and sessions."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.accounts.services import EMAIL_MAX

SignsInBy = Literal["password", "provider", "nothing"]


class UserOut(Schema):
    """A person with an account, for administrators."""

    username: str
    name: str
    email: str
    is_active: bool = Field(description="false: the account is disabled")
    is_administrator: bool = Field(description="the role, also while the account is disabled")
    signs_in_by: SignsInBy
    teams: list[str]
    joined_at: dt.datetime
    last_sign_in_at: dt.datetime | None


class UserPage(Schema):
    """People by user name; `next` is the cursor of the page after, null on the last."""

    items: list[UserOut]
    next: str | None


class ThingOut(Schema):
    """Something that a person owns, and its page in the portal."""

    name: str
    page: str


class BelongingsOut(Schema):
    """Things of one kind that a person owns."""

    label: str
    things: list[ThingOut]


class UserDetail(UserOut):
    """A person with what lets them in, and what they own."""

    second_factors: list[str]
    session_count: int
    token_count: int
    belongings: list[BelongingsOut]


class UserPatch(InputSchema):
    """What changes of a person's access; what is left out stays."""

    is_active: bool | None = Field(default=None, description="false: sessions, tokens and webhooks end at once")
    is_administrator: bool | None = Field(default=None, description="false: sessions and tokens end at once")


class ReassignIn(InputSchema):
    """Who becomes the owner."""

    to: str = Field(description="a user name")


class ReassignOut(Schema):
    """What changed hands."""

    things: int


class LinkOut(Schema):
    """A link that works once, shown this once."""

    link: str
    expires_at: dt.datetime


class InvitationIn(InputSchema):
    """Whom to invite, and into what."""

    email: str = Field(default="", max_length=EMAIL_MAX, description="the new account gets it, and the link is sent")
    team: str | None = Field(default=None, description="null: a personal team")
    is_administrator: bool = False


class InvitationOut(Schema):
    """An invitation that can still be used."""

    id: int
    email: str
    team: str | None
    is_administrator: bool
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime


class InvitationCreated(InvitationOut):
    """A new invitation; the link is shown this once."""

    link: str
    is_mailed: bool = Field(description="the link was sent to the address, too")


class SessionOut(Schema):
    """A session of the portal."""

    id: int
    created_at: dt.datetime
    seen_at: dt.datetime
    address: str
    browser: str


class EndedOut(Schema):
    """How many ended."""

    ended: int
