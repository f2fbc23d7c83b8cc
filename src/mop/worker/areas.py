"""What a worker takes from the areas: their workflows with the queues they wait on, and their periodic work."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from mop.areas.references import Setting
from mop.areas.registry import registered
from mop.areas.work import Queue, TypeQueue
from mop.engine.runtime import WorkQueue
from mop.engine.schedules import register_schedule


def load_workflows() -> None:
    """Import every workflow, which is what lets the engine recover its work.

    Raises:
        ValueError: a bug: an area declares a workflow under another name than the engine knows, so that what is
            enqueued under it would wait for ever.
    """
    for area in registered():
        for workflow in area.workflows:
            known = getattr(workflow.function.load(), "dbos_function_name", None)
            if known != workflow.name:
                raise ValueError(f"{workflow.function.name} is the workflow {known!r}, not {workflow.name!r}")


def work_queues(types: Iterable[str]) -> tuple[WorkQueue, ...]:
    """The queues of all areas for these queues of instance types: first those that every worker serves."""
    found = {workflow.queue for area in registered() for workflow in area.workflows}
    common = sorted((queue for queue in found if isinstance(queue, Queue)), key=lambda queue: queue.name)
    of_types = sorted((queue for queue in found if isinstance(queue, TypeQueue)), key=lambda queue: queue.name)
    names = list(types)
    return (
        *(WorkQueue(queue.name, int(_number(queue.concurrency))) for queue in common),
        *(WorkQueue(queue.of(name), int(_number(queue.concurrency))) for queue in of_types for name in names),
    )


def register_schedules() -> None:
    """Let this worker do the periodic work of all areas."""
    for area in registered():
        for schedule in area.schedules:
            if (every_seconds := _number(schedule.every_seconds)) > 0:
                name = f"{schedule.name}@{socket.gethostname()}" if schedule.each_host else schedule.name
                register_schedule(name, every_seconds, schedule.function.load())


def _number(given: float | Setting) -> float:
    return given.value if isinstance(given, Setting) else given
