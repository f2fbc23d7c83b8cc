"""The work of one try: a fresh process of the model is asked once, and is killed.

It is no work that a crash may repeat: the key of its input dies with the worker. So a try that was in a worker which
ended is told to be sent again. What the engine keeps of it is its id.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from dbos import DBOS
from django.conf import settings

from mop.deferred import deferred
from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import HostLostError, InternalError, MopError
from mop.hosting.service import ServiceObserver, fresh_service
from mop.hosting.this_host import host_name
from mop.hosting.tools import host_lock
from mop.trials.advance import TRIAL
from mop.trials.answers import answer_of
from mop.trials.area import RUN
from mop.trials.jobs import AGAIN, TrialJob, answer, conclude, say, take, take_input, too_late
from mop.trials.sealing import KEY_BYTES, encrypt, open_with

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import x25519
else:
    x25519 = deferred("cryptography.hazmat.primitives.asymmetric.x25519")

INPUT_SECONDS = 20.0  # that the portal may take to hand over the input, once it knows the key
LOOK_SECONDS = 0.05

watch = Watch("try", TRIAL.wanted)


@DBOS.workflow(name=RUN.name)
async def run(trial_id: str) -> str:
    """Bring one try to its end.

    Returns:
        `answered`, the state it ended in otherwise, or `stale` when somebody ended it.
    """
    outcome = await answer_step(trial_id)
    return "answered" if outcome is None else await conclude_step(trial_id, outcome)


@DBOS.step(name="trials.answer", preemptible=True)
async def answer_step(trial_id: str) -> Outcome:
    """Ask the model; the answer goes to the row, sealed, and not to the engine."""
    return await guarded(Run(trial_id), functools.partial(_answer, trial_id), watch=watch)


@DBOS.step(name="trials.conclude")
async def conclude_step(trial_id: str, outcome: Outcome) -> str:
    """Write why it was not answered."""
    return await concluded(outcome, failed=functools.partial(conclude, trial_id))


async def _answer(trial_id: str) -> None:
    private_key = x25519.X25519PrivateKey.generate()
    job = await in_database(take)(trial_id, host_name(), private_key.public_key().public_bytes_raw())
    try:
        async with asyncio.timeout(settings.MOP_TRY_SECONDS):
            opened = open_with(private_key, await _input(job))
            key, item = opened[:KEY_BYTES], orjson.loads(opened[KEY_BYTES:])
            sealed = encrypt(key, orjson.dumps(await _asked(job, item)))
    except TimeoutError:
        raise await in_database(too_late)(job.trial_id, settings.MOP_TRY_SECONDS) from None
    except (MopError, WorkerLostError):
        raise
    except Exception as error:  # noqa: BLE001 - its message and traceback may quote the input, and would be logged
        raise InternalError(f"A {type(error).__name__} ended the try.") from None
    await in_database(answer)(job.trial_id, sealed)


async def _input(job: TrialJob) -> bytes:
    """The sealed input, which follows as soon as the portal sees the public key."""
    try:
        async with asyncio.timeout(INPUT_SECONDS):
            while True:
                if (sealed := await in_database(take_input)(job.trial_id)) is not None:
                    return sealed
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise HostLostError("The input did not arrive at the worker.", hint=AGAIN) from None


async def _asked(job: TrialJob, item: dict[str, Any]) -> dict[str, Any]:
    tell = functools.partial(in_database(say), job.trial_id)
    waiting: list[asyncio.Task[None]] = []

    def note(line: str) -> None:
        waiting.append(asyncio.ensure_future(tell(line)))

    async with host_lock().shared(note):
        await tell("starts a fresh process of the model")
        async with fresh_service(job.revision_job, log=_dropped, observer=_Waiting(note, tell)) as hosted:
            return await answer_of(hosted.service, item, job.tasks)


class _Waiting(ServiceObserver):
    """Tells the person who waits how far the service is."""

    def __init__(self, note: Callable[[str], None], tell: Callable[[str], Awaitable[None]]) -> None:
        self._note = note
        self._tell = tell

    def waits_for_room(self, line: str) -> None:
        self._note(line)

    async def deployment_created(self, seconds: float) -> None:
        await self._tell(f"the process is ready after {seconds:.1f} s and is asked")


def _dropped(_line: str) -> None:
    """Keep nothing."""
