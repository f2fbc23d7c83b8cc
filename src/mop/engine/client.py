"""Enqueue and cancel durable work from a process that holds no engine runtime (portal, API)."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings

from mop.engine.names import check_known
from mop.engine.wakes import wake

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

# work is never bound to a release: changed workflows use DBOS.patch()
APPLICATION_VERSION = "1"

logger = logging.getLogger(__name__)


def enqueue(*, workflow: str, queue: str, workflow_id: str, args: tuple[Any, ...], priority: int | None = None) -> None:
    """Put work on a queue. Enqueuing an id twice is harmless: the second call attaches to the first.

    Call it in `transaction.on_commit`. When the engine's database does not answer, the failure is logged and the
    worker's sweep enqueues the row later: the row in our table is the truth.
    """
    check_known(workflow)
    options: EnqueueOptions = {
        "queue_name": queue,
        "workflow_name": workflow,
        "workflow_id": workflow_id,
        "app_version": APPLICATION_VERSION,
    }
    if priority is not None:
        options["priority"] = priority
    try:
        engine().enqueue(options, *args)
    except Exception:
        logger.exception("work %s could not be enqueued; the sweep of the worker will try again", workflow_id)
    else:
        wake(queue)


def cancel(workflow_id: str) -> None:
    """Stop work and its children; the worker kills what they started within about a second."""
    try:
        engine().cancel_workflow(workflow_id, cancel_children=True)
    except Exception:
        logger.exception("work %s could not be cancelled in the engine; its status already refuses it", workflow_id)


@functools.cache
def engine() -> DBOSClient:
    """The process's one client of the engine's database."""
    from dbos import DBOSClient  # noqa: PLC0415 - it takes a second to import, and most commands enqueue nothing

    return DBOSClient(system_database_url=settings.MOP_ENGINE_URL, retry_connection_errors=False)
