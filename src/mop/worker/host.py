"""What a worker host takes: its name, its queues, the runtime that serves them."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from typing import NoReturn

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import get_resolver

from mop.catalog.models import InstanceType
from mop.engine import hosts
from mop.engine.database import in_database
from mop.engine.fence import stand_behind_fence
from mop.engine.job import release_host
from mop.engine.liveness import Liveness, Pulse, recover_unheard
from mop.engine.queue_waits import QueueWaits
from mop.engine.runtime import ExecutorLock, WorkQueue, holders_of_work, launch, recover
from mop.engine.schedules import register_schedule
from mop.engine.worker_registry import lock_folder
from mop.hosting.this_host import set_host_name
from mop.registry.models import Revision
from mop.registry.names import PIPELINE_QUEUE
from mop.sandbox import host_gpus
from mop.worker.areas import load_workflows, work_queues

EXIT_STOPPED_ITSELF = os.EX_TEMPFAIL
UNHEARD_SECONDS = 30.0

logger = logging.getLogger(__name__)


def queues_of(instance_types: tuple[str, ...]) -> tuple[WorkQueue, ...]:
    """The queues of all areas for these instance types (none given: every type without a GPU).

    A retired type counts as long as a version has it: it is evaluated, tested and tried for as long.

    Raises:
        SystemExit: an instance type is unknown, or has GPUs that this host has not; or the database has no tables yet.
    """
    in_use = Exists(Revision.objects.filter(instance_type=OuterRef("pk")))
    try:
        with transaction.atomic():  # what fails in a transaction fails all that follows in it
            known = {row.name: row for row in InstanceType.objects.filter(Q(is_enabled=True) | Q(in_use))}
    except DatabaseError:
        if InstanceType._meta.db_table in connection.introspection.table_names():  # noqa: SLF001 - public API of Django
            raise
        raise SystemExit("The database has no tables yet. Start `mop up` once, which makes them.") from None
    if unknown := sorted(set(instance_types) - set(known)):
        raise SystemExit(f"Unknown instance types: {', '.join(unknown)}. Known are {', '.join(sorted(known))}.")
    wanted = [known[name] for name in instance_types] or [row for row in known.values() if not row.gpus]
    gpus = host_gpus()
    if lacking := [f"{row.name} ({row.gpus})" for row in wanted if row.gpus > gpus]:
        raise SystemExit(
            f"This host has {gpus or 'no'} NVIDIA GPUs; these instance types have more: {', '.join(lacking)}."
        )
    return work_queues(dict.fromkeys(row.queue_name for row in wanted))


@dataclass
class WorkerMembership:
    """The lock on this worker's name, its heartbeat where there may be other workers, and the waits of its queues."""

    executor_id: str
    lock: ExecutorLock
    liveness: Liveness | None
    waits: QueueWaits

    def drain(self) -> None:
        """Take no more work, and return when what was taken has ended; that may take as long as a load test.

        Pipelines only wait for such work, and enqueue what follows it. They go back on their queue, where
        another worker takes them.
        """
        self.waits.drain(but={PIPELINE_QUEUE})
        recover(self.executor_id)

    def leave(self) -> None:
        """Let others, or the next life of this worker, go on with the work at once."""
        if self.liveness is not None:
            # a write that comes after the hand-over is refused, and that is no fault
            stand_behind_fence(self.liveness.executor_id, lambda _reason: os._exit(os.EX_OK))
            with contextlib.suppress(DatabaseError):  # then they wait until the heartbeat is stale
                self.liveness.end()
        self.lock.release()


async def start(name: str, queues: tuple[WorkQueue, ...]) -> WorkerMembership:
    """Take the worker's name and start taking work, on the running event loop.

    Raises:
        SystemExit: a worker of this name runs already.
    """
    lock = ExecutorLock(lock_folder() / f"{name}.lock")
    if not lock.acquire():
        raise SystemExit(f"A worker named {name!r} runs already on this installation; stop it, or give another --name.")
    set_host_name(name)
    load_workflows()
    if not settings.MOP_MANY_WORKERS:
        alone = f"worker:{name}"
        waits = await launch(
            url=settings.MOP_ENGINE_URL, executor_id=alone, queues=queues, on_first_work=know_addresses
        )
        return WorkerMembership(alone, lock, None, waits)
    liveness = Liveness(
        name=name,
        lock=hosts.this_lock(lock.path),
        pulse=Pulse(settings.MOP_WORKER_BEAT_SECONDS, settings.MOP_WORKER_STALE_SECONDS),
        recover=recover,
        release=release_host,
        stop=stop_at_once,
    )
    await in_database(liveness.register)()
    stand_behind_fence(liveness.executor_id, stop_at_once)
    liveness.start_beating()  # before the engine, whose start may take longer than others wait
    waits = await launch(
        url=settings.MOP_ENGINE_URL, executor_id=liveness.executor_id, queues=queues, on_first_work=know_addresses
    )
    liveness.start_looking()
    register_schedule("engine.unheard", UNHEARD_SECONDS, recover_what_nobody_does)
    return WorkerMembership(liveness.executor_id, lock, liveness, waits)


def know_addresses() -> None:
    """Import pages and operations, to whose addresses notifications lead.

    It takes a second. The first notification would spend it in the transaction that it is part of, which on SQLite lets
    everybody else wait; an idle worker would keep the memory for nothing.
    """
    get_resolver().reverse_dict  # noqa: B018 - reads every address


def recover_what_nobody_does() -> None:
    """Put work back that a worker took when it was already lost."""
    recover_unheard(holders_of_work(), recover)


def stop_at_once(reason: str) -> NoReturn:
    """End this process and, with it, its steps and everything they started; its supervisor starts it again."""
    logger.critical("this worker stops itself: %s", reason)
    logging.shutdown()
    os._exit(EXIT_STOPPED_ITSELF)
