"""What the API takes and gives about tries."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from ninja import Field, Schema

from mop.accounts.schemas import InputSchema
from mop.trials.inputs import IMAGES_MAX, TEXT_CHARACTERS_MAX
from mop.trials.models import Trial


class TryIn(InputSchema):
    """One input."""

    text: str = Field(default="", max_length=TEXT_CHARACTERS_MAX)
    images: list[str] = Field(
        default_factory=list, max_length=IMAGES_MAX, description="In base64: JPEG, PNG, GIF, WEBP or BMP."
    )
    modality: str | None = Field(
        default=None, description="Text, Image or ImageAndText; needed where the model's tasks have several."
    )


class TryOut(Schema):
    """A try and, with its key, the answer."""

    id: uuid.UUID
    state: str = Field(description="queued, running, answered, failed, undecided, cancelled.")
    note: str = Field(description="What it waits for, or does.")
    is_final: bool
    error: dict[str, Any] | None
    answer: dict[str, Any] | None = Field(
        description="{mop, model: {input, output, seconds, error}, labels, faults}; null without the key of the try."
    )
    created_at: dt.datetime
    ended_at: dt.datetime | None


class TryStarted(TryOut):
    """A try that runs."""

    key: str = Field(description="Send it as X-MOP-Try-Key to read the answer; it is shown this once.")


def try_out(trial: Trial, answer: dict[str, Any] | None) -> dict[str, Any]:
    """A try as the API gives it."""
    return {
        "id": trial.pk,
        "state": trial.state,
        "note": trial.note,
        "is_final": trial.get_state().is_final,
        "error": trial.error,
        "answer": answer,
        "created_at": trial.created_at,
        "ended_at": trial.ended_at,
    }
