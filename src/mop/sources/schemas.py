"""What the API takes and gives about source prefixes."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from ninja import Field, Schema

from mop.accounts.schemas import InputSchema
from mop.sources.models import PREFIX_MAX
from mop.sources.purposes import Purpose


class SourcePrefixOut(Schema):
    """A place below which a team reads for a purpose."""

    id: int | None = Field(description="By which it can be removed; null for one of the settings and for the default.")
    team: str | None = Field(description="Null: every team.")
    purpose: Purpose
    prefix: str = Field(description="A url, or * for every configured file root and storage account.")
    origin: Literal["administrator", "settings", "default"]
    is_usable: bool = Field(description="Below a configured root or account; otherwise it allows nothing.")
    created_by: str | None
    created_at: dt.datetime | None


class SourcePrefixIn(InputSchema):
    """A prefix to add."""

    team: str | None = Field(default=None, description="Null: every team.")
    purpose: Purpose
    prefix: str = Field(min_length=1, max_length=PREFIX_MAX)
