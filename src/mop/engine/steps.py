"""The steps of durable work: run as long as somebody wants them, expected failures turned into outcomes.

    @DBOS.step(name="parcels.pack", preemptible=True)
    async def pack_step(parcel_id: str) -> Outcome:
        return await guarded(Run(parcel_id), functools.partial(_pack, parcel_id), watch=watch)

    @DBOS.step(name="parcels.conclude")
    async def conclude_step(parcel_id: str, outcome: Outcome) -> str:
        return await concluded(outcome, failed=functools.partial(lose, parcel_id))

The workflow calls them in turn; docs/lifecycle.md shows one whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError, hold_fence
from mop.engine.watch import Run, Watch
from mop.errors import InternalError, MopError, PlatformFault, StaleAttemptError, from_dict

STALE = "stale"
ERROR = "error"
RESULT = "result"

Outcome = dict[str, Any] | None
"""How a step ended, as the engine keeps it: None is done, `{"result": ...}` is done with a result, `{"error": ...}` is
an expected failure, `{"stale": ...}` work that nobody wants any more."""

logger = logging.getLogger(__name__)


async def guarded(run: Run, work: Callable[[], Coroutine[Any, Any, object]], *, watch: Watch) -> Outcome:
    """Run a step's work until its end, or until its run is over, and give its outcome.

    A result is kept by the engine, so it is plain data. A fault of the platform is logged, and a failure that nobody
    expected becomes an InternalError, its traceback in the log.

    Raises:
        WorkerLostError: this worker's work was given to another; the step goes on there.
    """
    outcome = await _tried(run, work, watch)
    if outcome is not None:
        await in_database(hold_fence)()  # what fails because this worker was frozen is no outcome
    return outcome


async def concluded(
    outcome: Outcome, *, failed: Callable[[MopError], str], done: Callable[[Any], str] | None = None
) -> str:
    """Write how work ended, and name the end: what `failed` or `done` returns, or `stale`.

    Args:
        outcome: of the last step that ran.
        failed: writes a failure; it may be called again after a crash.
        done: writes the end of work that gave a result, likewise; without it such work has nothing to conclude.
    """
    error = error_of(outcome)
    try:
        if error is not None:
            return str(await in_database(failed)(error))
        if outcome is not None and RESULT in outcome and done is not None:
            return str(await in_database(done)(outcome[RESULT]))
    except StaleAttemptError:
        pass
    return STALE


def error_of(outcome: Outcome) -> MopError | None:
    """The expected failure that a step ended with."""
    return from_dict(outcome[ERROR]) if outcome is not None and ERROR in outcome else None


async def _tried(run: Run, work: Callable[[], Coroutine[Any, Any, object]], watch: Watch) -> Outcome:
    try:
        result = await watch.run(run, work())
    except StaleAttemptError as error:
        return {STALE: error.message}
    except WorkerLostError:
        raise  # no outcome: the step goes on elsewhere
    except PlatformFault as error:
        logger.error("the platform is at fault for %s: %s %s", watch.describe(run), error.message, error.hint)  # noqa: TRY400 - expected, no traceback
        return {ERROR: error.to_dict()}
    except MopError as error:
        logger.info("%s failed: %s %s", watch.describe(run), error.name, error.message)
        return {ERROR: error.to_dict()}
    except Exception as error:
        logger.exception("%s failed", watch.describe(run))
        return {ERROR: InternalError(f"{type(error).__name__}: {error}").to_dict()}
    return None if result is None else {RESULT: result}
