"""API of Try it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import caller_of
from mop.accounts.rules import authorise
from mop.registry.selectors import get_revision
from mop.trials.input_modality import modality_for
from mop.trials.inputs import decoded_images, mop_input
from mop.trials.schemas import TryIn, TryOut, TryStarted, try_out
from mop.trials.selectors import get_trial, read_answer
from mop.trials.services import end_trial, start_trial

router = Router(tags=["try it"])
_TRY = "/models/{name}/revisions/{version}/try"
KEY_HEADER = "X-MOP-Try-Key"


@router.post(_TRY, response={202: TryStarted})
def post_try(request: HttpRequest, name: str, version: str, body: TryIn) -> Status[dict[str, Any]]:
    """Send one input to a fresh process of a verified version. Everyone who sees the version; nothing is kept."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "trials.start", revision, what="try this version")
    modality = modality_for(revision.model, body.modality)
    item = mop_input(modality, text=body.text, images=decoded_images(body.images))
    started = start_trial(actor=caller.actor, user=caller.user, revision=revision, item=item)
    return Status(202, {**try_out(started.trial, None), "key": started.key})


@router.get(f"{_TRY}/{{try_id}}", response=TryOut)
def get_try(request: HttpRequest, name: str, version: str, try_id: uuid.UUID) -> dict[str, Any]:
    """One of the caller's own tries; with X-MOP-Try-Key its answer, for ten minutes after its end."""
    caller = caller_of(request)
    trial = get_trial(caller.user, get_revision(caller.user, name, version), try_id)
    return try_out(trial, read_answer(trial, request.headers.get(KEY_HEADER, "")))


@router.post(f"{_TRY}/{{try_id}}/cancel", response=TryOut)
def post_cancel(request: HttpRequest, name: str, version: str, try_id: uuid.UUID) -> dict[str, Any]:
    """End one of the caller's own tries; one that ended stays as it is."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    end_trial(actor=caller.actor, trial=get_trial(caller.user, revision, try_id))
    return try_out(get_trial(caller.user, revision, try_id), None)
