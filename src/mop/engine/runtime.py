"""The engine's runtime of one worker process: DBOS with the rules that keep durable work safe."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dbos import DBOS, DBOSConfig, error, run_dbos_database_migrations

from mop.engine.client import APPLICATION_VERSION
from mop.engine.database import IDLE_TRANSACTION_SECONDS
from mop.engine.queue_waits import QueueWaits, hear_always
from mop.engine.wakes import EVERY_QUEUE, heard, hearing_wakes, transport, wake

UNUSED_SECONDS = 60.0  # between the engine's looks at what MOP does not use: its schedules, events and messages
EXECUTOR_THREADS = 32

logger = logging.getLogger(__name__)
_for_life = contextlib.ExitStack()  # of the process


@dataclass(frozen=True)
class WorkQueue:
    """A queue that this worker listens on.

    Attributes:
        concurrency: how many pieces of its work it runs at once; None: any number.
    """

    name: str
    concurrency: int | None


class ExecutorLock:
    """One process per executor id: two with the same id would both recover the same work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock for the life of this process; False when another process holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


async def launch(
    *, url: str, executor_id: str, queues: Sequence[WorkQueue], on_first_work: Callable[[], object] = lambda: None
) -> QueueWaits:
    """Take work on the running event loop, and recover what this executor left unfinished. Never fork after this.

    Import every module that defines workflows before: DBOS recovers only what it knows.

    Args:
        url: of the engine's database.
        executor_id: of this process.
        queues: whose work it takes.
        on_first_work: called once, in a thread of its own, when the first work begins.

    Returns:
        What lets this process take no more work.
    """
    config: DBOSConfig = {
        "name": "mop",
        "system_database_url": url,
        "executor_id": executor_id,
        "application_version": APPLICATION_VERSION,
        "log_level": "WARNING",
        "max_executor_threads": EXECUTOR_THREADS,
        "sys_db_idle_transaction_timeout_sec": IDLE_TRANSACTION_SECONDS,
        "use_listen_notify": url.startswith("postgresql"),
        "notification_coalesce_sec": UNUSED_SECONDS,
        "notification_listener_polling_interval_sec": UNUSED_SECONDS,
        "scheduler_polling_interval_sec": UNUSED_SECONDS,
    }
    logging.getLogger("dbos").addFilter(is_no_cancellation)
    waits = QueueWaits()
    waits.install(DBOS(config=config), on_first_work=on_first_work)
    _for_life.enter_context(hearing_wakes(waits.wake))
    DBOS.listen_queues([queue.name for queue in queues])
    DBOS.launch()
    for queue in queues:
        await DBOS.register_queue_async(queue.name, worker_concurrency=queue.concurrency)
    threading.Thread(target=hear_always, args=(waits, transport(), heard), name="mop-wakes", daemon=True).start()
    return waits


def is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether the log keeps a record of the engine: cancelled work, which is expected, is an error with a traceback."""
    raised = record.exc_info[1] if record.exc_info else None
    return not isinstance(raised, error.DBOSAwaitedWorkflowCancelledError | error.DBOSWorkflowCancelledError)


def recover(executor_id: str) -> None:
    """Put the unfinished work of an executor back on its queues; doing it twice, or by two workers, is harmless.

    An internal call of the engine: its version is pinned, and tests/integration kills hosts.
    """
    DBOS._recover_pending_workflows([executor_id])  # noqa: SLF001 - see above
    wake(EVERY_QUEUE)


def holders_of_work() -> frozenset[str]:
    """Executors that hold unfinished work."""
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return frozenset(str(workflow.executor_id) for workflow in pending)


def prepare_database(url: str) -> None:
    """Create or migrate the engine's tables."""
    run_dbos_database_migrations(url)
