"""The fence: nothing is written by a worker whose work was given to another.

Every transaction in which a worker changes a revision, its log or its audit trail calls `hold_fence()` first. It locks
the worker's own row against being claimed until the transaction ends; a worker that was claimed before is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

LOST = "another worker has taken over the work of this one, of which nothing had been heard for too long"

_executor_id = ""
_on_lost: Callable[[str], object] | None = None


class WorkerLostError(RuntimeError):
    """This worker's work was given to another; whatever it still does comes too late."""


def stand_behind_fence(executor_id: str, on_lost: Callable[[str], object]) -> None:
    """From now on this process writes as a worker; `on_lost` is told, with the reason, when a write was refused."""
    global _executor_id, _on_lost
    _executor_id, _on_lost = executor_id, on_lost


def hold_fence() -> None:
    """Refuse the transaction of a lost worker, and keep this one from being lost until it ends.

    Does nothing in a process that is no worker, and on the one host of an embedded installation, where the file lock
    on the worker's name is held until the process ends.

    Raises:
        WorkerLostError: another worker has claimed the work of this one.
    """
    if not _executor_id:
        return
    # shared: a worker's transactions do not wait for each other, the claim waits for all of them
    lock = "FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT lost_at FROM engine_worker WHERE executor_id = %s {lock}", [_executor_id])  # noqa: S608 - two constants
        if cursor.fetchone() == (None,):
            return
    if _on_lost is not None:
        _on_lost(LOST)
    raise WorkerLostError(LOST)
