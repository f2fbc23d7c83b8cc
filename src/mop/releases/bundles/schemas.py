"""What the API gives about bundles."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from mop.releases.bundles.models import Bundle


class BundleOut(Schema):
    """A bundle, and how far it is."""

    model: str
    version: str
    release: int | None
    state: Literal["making", "ready", "failed"]
    error: dict[str, Any] | None = Field(description="the catalogue error; null unless it failed")
    file_name: str
    size: int | None = Field(description="bytes")
    sha256: str = Field(description="of the file, also its ETag; empty until it is ready")
    key: str = Field(description="SHA-256 of the public key that proves it, as PEM")
    created_at: dt.datetime
    made_at: dt.datetime | None

    @staticmethod
    def resolve_model(row: Bundle) -> str:
        return row.model_name

    @staticmethod
    def resolve_release(row: Bundle) -> int | None:
        return row.release_id
