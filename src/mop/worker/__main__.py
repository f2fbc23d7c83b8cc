"""The worker process: takes durable work until it is told to stop.

SIGTERM and SIGINT stop it at once; SIGUSR1 stops it when the work that it took has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import django
from django.conf import settings

from mop.cycle_collector import paused_collector

if TYPE_CHECKING:
    from mop.worker.host import WorkerMembership

LEAVE_SECONDS = 3.0


def main() -> None:
    """Run a worker on this host."""
    parser = argparse.ArgumentParser(
        prog="python -m mop.worker", description="Run models of these instance types on this host."
    )
    parser.add_argument("--instance-types", default="", help="comma-separated names; default: every type without a GPU")
    parser.add_argument("--name", default=socket.gethostname(), help="name of this worker; one process per name")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mop.conf.settings")
    starting = contextlib.ExitStack()
    starting.enter_context(paused_collector())
    django.setup()
    from mop.backup.occupancy import occupy  # noqa: PLC0415 - nothing of MOP before django.setup()

    occupy(settings.MOP_HOME)
    names = tuple(name.strip() for name in arguments.instance_types.split(",") if name.strip())
    asyncio.run(_work(arguments.name, names, starting))


async def _work(name: str, instance_types: tuple[str, ...], starting: contextlib.ExitStack) -> None:
    from mop.engine.library import import_dbos  # noqa: PLC0415

    import_dbos()
    from mop.engine.activity import report_changes  # noqa: PLC0415
    from mop.engine.database import end_frozen_transactions, in_database  # noqa: PLC0415
    from mop.engine.schedules import run_schedules  # noqa: PLC0415
    from mop.hosting.this_host import end_services, open_early  # noqa: PLC0415
    from mop.worker.areas import register_schedules  # noqa: PLC0415
    from mop.worker.host import queues_of, start  # noqa: PLC0415

    stopping, draining = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, draining.set)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    end_frozen_transactions()
    report_changes()
    try:
        queues = await in_database(queues_of)(instance_types)
    except SystemExit as refusal:
        print(refusal.code, file=sys.stderr)  # noqa: T201 - as Python does, which ends with 1
        sys.exit(os.EX_USAGE)
    place = await start(name, queues)
    register_schedules()
    upkeep = asyncio.create_task(run_schedules())
    opening = asyncio.create_task(open_early())
    logging.getLogger("mop.worker").info("worker %s takes work", name)
    starting.close()
    print("ready", flush=True)  # noqa: T201 - the program that started the worker waits for this line
    drained = asyncio.create_task(_drained(name, draining, place, stopping))
    await stopping.wait()
    drained.cancel()
    upkeep.cancel()
    opening.cancel()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(place.leave), LEAVE_SECONDS)
    # what runs is recovered by the next life or another worker; its processes die with this one. Nothing is awaited
    # between the end of the services and that of this process: their steps would take it for a fault
    end_services()
    sys.stdout.flush()
    os._exit(0)


async def _drained(name: str, asked: asyncio.Event, place: WorkerMembership, stopping: asyncio.Event) -> None:
    """Once it is asked for: stop when nothing runs any more."""
    await asked.wait()
    print(f"the worker {name} takes no more work, and ends with what it has taken", flush=True)  # noqa: T201 - as above
    try:
        await asyncio.to_thread(place.drain)
    finally:  # also where the database is away by then: what is left is recovered
        stopping.set()


if __name__ == "__main__":
    main()
