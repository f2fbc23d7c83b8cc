"""The durable import of a file, chunk by chunk. The engine keeps nothing of the file."""

from __future__ import annotations

import functools

from dbos import DBOS

from mop.dsat.advance import IMPORT
from mop.dsat.area import IMPORT_FILE
from mop.dsat.importing import ReadAhead, claim, fail_import, import_chunk
from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import InternalError, MopError
from mop.hosting.this_host import host_name

watch = Watch("DSAT import", IMPORT.wanted)


@DBOS.workflow(name=IMPORT_FILE.name)
async def import_file(import_id: str) -> str:
    """Bring one import to its end.

    Returns:
        `finished`, `failed`, or `stale` when somebody ended it.
    """
    outcome = await rows_step(import_id)
    return "finished" if outcome is None else await conclude_step(import_id, outcome)


@DBOS.step(name="dsat.import.rows", preemptible=True)
async def rows_step(import_id: str) -> Outcome:
    """Make cases of all rows; after a crash it goes on where the last chunk ended."""
    return await guarded(Run(import_id), functools.partial(_rows, import_id), watch=watch)


@DBOS.step(name="dsat.import.conclude")
async def conclude_step(import_id: str, outcome: Outcome) -> str:
    """Write why it ended early."""
    return await concluded(outcome, failed=functools.partial(fail_import, import_id))


async def _rows(import_id: str) -> None:
    try:
        await in_database(claim)(import_id, host_name())
        with ReadAhead() as ahead:
            while not await in_database(import_chunk)(import_id, ahead):
                pass
    except (MopError, WorkerLostError):
        raise
    except Exception as error:  # noqa: BLE001 - its message and traceback may quote the file, and would be logged
        raise InternalError(f"A {type(error).__name__} ended the import.") from None
