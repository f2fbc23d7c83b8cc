"""What the API takes and gives about users, teams and tokens."""

from __future__ import annotations

import datetime as dt

from ninja import Schema
from pydantic import ConfigDict, Field

from mop.accounts.models import TokenScope
from mop.accounts.services import TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX


class InputSchema(Schema):
    """A body; a field that is not known is a mistake, not noise."""

    model_config = ConfigDict(extra="forbid")


class PersonOut(Schema):
    """A person."""

    username: str
    name: str


class PeopleOut(Schema):
    """People by user name."""

    items: list[PersonOut]


class TeamOut(Schema):
    """A team, and whether the caller belongs to it."""

    name: str
    description: str
    is_personal: bool
    is_member: bool
    created_at: dt.datetime


class TeamIn(InputSchema):
    """A team to add."""

    name: str = Field(min_length=1, max_length=100)
    description: str = ""


class MeOut(Schema):
    """The caller."""

    username: str
    is_administrator: bool
    teams: list[str]
    scope: TokenScope


class TokenIn(InputSchema):
    """A token to create."""

    name: str = Field(min_length=1, max_length=100)
    scope: TokenScope = TokenScope.WRITE
    days: int = Field(default=TOKEN_DAYS_DEFAULT, ge=1, le=TOKEN_DAYS_MAX)


class TokenOut(Schema):
    """A token without its secret."""

    id: int
    name: str
    prefix: str
    scope: TokenScope
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class TokenCreated(TokenOut):
    """A new token; the secret is shown this once."""

    secret: str


class OwnerIn(InputSchema):
    """A user to make an owner."""

    username: str
