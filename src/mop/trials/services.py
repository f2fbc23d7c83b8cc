"""Starting, ending and forgetting tries."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import time
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.engine.job import Job
from mop.errors import ConflictError, TooManyRequestsError
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.trials.advance import TRIAL
from mop.trials.area import QUEUES, RUN
from mop.trials.models import Trial
from mop.trials.sealing import KEY_BYTES, seal_for
from mop.trials.states import TRIAL_LIFECYCLE, TrialState

LOOK_SECONDS = 0.05
KEPT = dt.timedelta(minutes=10)  # an answer that nobody looks at any more
RETRY_AFTER_SECONDS = 30
SYSTEM = Actor.system("trials")

TRIAL_JOB: Job[Trial] = Job(
    workflow=RUN.name,
    workflow_id=lambda trial: trial.workflow_id,
    queue=lambda trial: trial.queue,
    args=lambda trial: (str(trial.pk),),
    waiting=TRIAL.waiting,
    release=TRIAL.release,
)


@dataclass(frozen=True)
class Started:
    """A try that runs, and the key without which nobody reads its answer; it is stored nowhere."""

    trial: Trial
    key: str


def start_trial(*, actor: Actor, user: User, revision: Revision, item: dict[str, Any]) -> Started:
    """Send one input to a fresh process of a version.

    Waits some seconds for a worker that takes the try, because only that worker can open the input. It is asked for
    outside of any transaction.

    Args:
        actor: who is recorded.
        user: who alone sees the try.
        revision: a verified version.
        item: a MOP input, as `inputs.mop_input` gives it.

    Raises:
        ConflictError: the version is not verified.
        TooManyRequestsError: the user's last try runs, as many as the installation allows run, or no worker took it.
    """
    trial = begin_trial(actor=actor, user=user, revision=revision)
    public_key = _wait_for_key(trial)
    if public_key is None:
        end_trial(actor=actor, trial=trial)
        raise TooManyRequestsError(
            "No worker host is free to take the try.",
            hint="Try again in half a minute; if it goes on, ask the operator whether a worker runs.",
            retry_after_s=RETRY_AFTER_SECONDS,
        )
    key = secrets.token_bytes(KEY_BYTES)
    sealed = seal_for(public_key, key + orjson.dumps(item))
    Trial.objects.filter(pk=trial.pk, state=TrialState.RUNNING, public_key=public_key).update(sealed_input=sealed)
    trial.refresh_from_db()
    return Started(trial, base64.urlsafe_b64encode(key).decode("ascii"))


@transaction.atomic
def begin_trial(*, actor: Actor, user: User, revision: Revision) -> Trial:
    """Put a try on the queue; what is to be tried follows when a worker has it.

    Raises:
        ConflictError: the version is not verified.
        TooManyRequestsError: the user's last try runs, or as many as the installation allows run.
    """
    row = REVISION.lock(revision.pk)
    if row.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{row} is {row.status}; only a verified version can be tried.",
            hint="Choose a verified version of the model.",
        )
    live = Trial.objects.filter(state__in=TRIAL_LIFECYCLE.live)
    if live.filter(user=user).exists():
        raise _busy("Your last try still runs.")
    if live.count() >= settings.MOP_TRIALS_MAX:
        raise _busy(f"{settings.MOP_TRIALS_MAX} tries run already.")
    trial = Trial(revision=row, user=user, queue=QUEUES.of(row.instance_type.queue_name))
    try:
        with transaction.atomic():
            TRIAL.begin(trial, actor=actor)
    except IntegrityError as error:  # the same person's other window was faster
        raise _busy("Your last try still runs.") from error
    TRIAL_JOB.start(trial)
    return trial


@transaction.atomic
def end_trial(*, actor: Actor, trial: Trial) -> None:
    """End a try that waits or runs; nothing happens to one that ended."""
    row = TRIAL.lock(trial.pk)
    if row.get_state().is_live:
        TRIAL.move(row, TrialState.CANCELLED, actor=actor)
        TRIAL_JOB.stop(row)


def forget() -> int:
    """Delete the tries that ended some minutes ago, and end those that live far longer than they may.

    Returns:
        How many were deleted.
    """
    now = timezone.now()
    overdue = now - dt.timedelta(seconds=settings.MOP_TRY_SECONDS) - KEPT
    for trial in Trial.objects.filter(state__in=TRIAL_LIFECYCLE.live, created_at__lt=overdue):
        end_trial(actor=SYSTEM, trial=trial)
    count, _ = Trial.objects.filter(ended_at__lt=now - KEPT).delete()
    return count


def _wait_for_key(trial: Trial) -> bytes | None:
    """The public key of the worker that took the try; None when none did in time."""
    until = time.monotonic() + settings.MOP_TRY_CLAIM_SECONDS
    while True:
        state, key = Trial.objects.values_list("state", "public_key").get(pk=trial.pk)
        if key is not None:
            return bytes(key)
        if time.monotonic() > until or not TrialState(state).is_live:
            return None
        time.sleep(LOOK_SECONDS)


def _busy(message: str) -> TooManyRequestsError:
    return TooManyRequestsError(message, hint="Wait for it to end.", retry_after_s=RETRY_AFTER_SECONDS)
