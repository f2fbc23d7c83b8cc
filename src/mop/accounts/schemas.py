"""What the API takes and gives about users, teams and tokens."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from mop.accounts.quotas import LIMIT_MAX
from mop.accounts.token_services import OVERLAP_HOURS_MAX, TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX
from mop.accounts.validation import DESCRIPTION_MAX
from mop.areas.scopes import ALL_WRITE


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


class QuotaOut(Schema):
    """What a team may use, and uses. `limit` is null where there is none; `is_own`: an administrator gave it."""

    name: str
    label: str
    unit: str
    used: int
    limit: int | None
    is_own: bool


class LimitIn(InputSchema):
    """A team's own limit; 0: none; null: that of the installation."""

    limit: int | None = Field(ge=0, le=LIMIT_MAX)


class TeamDetail(TeamOut):
    """A team with its members and quotas; null where the caller is neither a member nor an administrator."""

    members: list[str] | None
    quotas: list[QuotaOut] | None


Description = Annotated[str, StringConstraints(max_length=DESCRIPTION_MAX)]


class TeamPatch(InputSchema):
    """What changes of a team; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    description: Description | None = None


class TeamIn(InputSchema):
    """A team to add."""

    name: str = Field(min_length=1, max_length=100)
    description: Description = ""


class MeOut(Schema):
    """The caller."""

    username: str
    is_administrator: bool
    teams: list[str]
    scopes: list[str] = Field(examples=[["models:write", "datasets:read"]])


class TokenIn(InputSchema):
    """A token to create."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = Field(default=[ALL_WRITE], max_length=40, examples=[["models:write", "datasets:read"]])
    days: int = Field(default=TOKEN_DAYS_DEFAULT, ge=1, le=TOKEN_DAYS_MAX)


class TokenRotation(InputSchema):
    """How a token is replaced; without days the new one lives as long as the old one was given."""

    days: int | None = Field(default=None, ge=1, le=TOKEN_DAYS_MAX)
    overlap_hours: int = Field(default=0, ge=0, le=OVERLAP_HOURS_MAX)


class TokenOut(Schema):
    """A token without its secret."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    made_by: int | None = Field(default=None, alias="made_by_id")


class TokenCreated(TokenOut):
    """A new token; the secret is shown this once."""

    secret: str


class OwnerIn(InputSchema):
    """A user to make an owner."""

    username: str
