"""Reads of tries; nobody sees those of others."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import orjson

from mop.accounts.models import User
from mop.catalog.models import Modality
from mop.errors import NotFoundError
from mop.registry.models import Model, Revision
from mop.trials.models import Trial
from mop.trials.sealing import SealError, decrypt


def get_trial(user: User, revision: Revision, trial_id: uuid.UUID) -> Trial:
    """A try of the user's own.

    Raises:
        NotFoundError: there is none, or it is forgotten.
    """
    trial = Trial.objects.select_related("revision__model").filter(pk=trial_id, user=user, revision=revision).first()
    if trial is None:
        raise NotFoundError(
            f"You have no try {trial_id} of {revision}; tries are forgotten after some minutes.",
            hint="Send the input again.",
        )
    return trial


def read_answer(trial: Trial, key: str) -> dict[str, Any] | None:
    """The answer of a try, as `answers.answer_of` gives it; None where there is none, or the key is another."""
    if trial.sealed_answer is None:
        return None
    try:
        answer: dict[str, Any] = orjson.loads(decrypt(base64.urlsafe_b64decode(key), bytes(trial.sealed_answer)))
    except (SealError, ValueError):
        return None
    return answer


def modalities_of(model: Model) -> list[Modality]:
    """The modalities of the connected tasks, each of which can be tried."""
    found = set(model.connections.values_list("task__modality", flat=True))
    return [modality for modality in Modality if modality in found]
