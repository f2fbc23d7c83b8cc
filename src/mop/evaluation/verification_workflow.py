"""The durable verification: numbers are computed again from dataset and predictions, random rows by a fresh service."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from dbos import DBOS

from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import InternalError, ModelFault, MopError
from mop.evaluation.area import VERIFY
from mop.evaluation.verification import verify_evaluation
from mop.evaluation.verifications import VERIFICATION, begin, conclude, finish
from mop.hosting.tools import host_lock

watch = Watch("verification", VERIFICATION.wanted)


@DBOS.workflow(name=VERIFY.name)
async def run(verification_id: str) -> str:
    """Bring one verification to its end.

    Returns:
        `finished`, the state it ended in otherwise, or `stale` when it was deleted.
    """
    outcome = await verify_step(verification_id)
    return "finished" if outcome is None else await conclude_step(verification_id, outcome)


@DBOS.step(name="verification.verify", preemptible=True)
async def verify_step(verification_id: str) -> Outcome:
    """Compute every number again, and keep which of them holds."""

    async def work() -> None:
        try:
            async with host_lock().shared(_unheard):
                evaluation, again = await in_database(begin)(verification_id)
                checks = await verify_evaluation(evaluation, again=again)
                await in_database(finish)(verification_id, checks)
        except ModelFault as error:  # by its name: the model may have chosen its words by what it saw
            raise type(error)("The model could not answer the rows again. What it did is withheld.") from None
        except (MopError, WorkerLostError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - its message and traceback may quote a row, and would be logged
            raise InternalError(f"A {type(error).__name__} ended the verification.") from None

    return await guarded(Run(verification_id), work, watch=watch)


@DBOS.step(name="verification.conclude")
async def conclude_step(verification_id: str, outcome: Outcome) -> str:
    """Write why it was not done."""
    failed: Callable[[MopError], str] = functools.partial(conclude, verification_id)
    return await concluded(outcome, failed=failed)


def _unheard(_line: str) -> None:
    """Nobody looks while it waits."""
