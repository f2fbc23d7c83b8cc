"""Durable and periodic work of an area, and where it stands in the pipeline."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mop.areas.references import Ref, Setting


@dataclass(frozen=True)
class Queue:
    """A queue that every worker serves.

    Attributes:
        concurrency: how many pieces of its work one worker runs at once.
    """

    name: str
    concurrency: int | Setting


@dataclass(frozen=True)
class TypeQueue:
    """A queue for each queue of instance types: beside it under a further name, or with an empty name that queue."""

    name: str
    concurrency: int | Setting

    def of(self, types: str) -> str:
        """The queue's name for a queue of instance types."""
        return f"{types}:{self.name}" if self.name else types


@dataclass(frozen=True)
class Workflow:
    """Durable work: the name under which it is enqueued, its function, and the queue it waits on.

    The worker imports the function, by which the engine can recover its work; other processes know the name alone.
    """

    name: str
    function: Ref[Callable[..., Any]]
    queue: Queue | TypeQueue


@dataclass(frozen=True)
class Schedule:
    """Periodic work: a function that one worker of the installation calls every so often, 0: never.

    Attributes:
        each_host: it concerns what lies on a host, so a worker of each host calls it.
    """

    name: str
    every_seconds: float | Setting
    function: Ref[Callable[[], object]]
    each_host: bool = False


class StagePosition(enum.IntEnum):
    """The order in which the pipeline starts its stages."""

    ONBOARDING = 10
    CONTRACT_RUNS = 15
    LOAD_TEST = 20
    EVALUATION = 30
    GOLDEN_SETS = 40
    REGRESSION = 50
    GATES = 60


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline.

    Attributes:
        name: ends the id of the work that the pipeline enqueues for it.
        position: its place in the order: one of StagePosition, or a number between or behind those for further areas.
        workflow: the durable work that it starts; None: `begin` itself does the work, which takes moments.
        applies: whether it concerns a revision, as it stands when the stage's turn has come.
        begin: starts it for such a revision. It gives queue and priority when the pipeline is to enqueue the workflow
            for the attempt and to wait for its status; None when the stage has enqueued work of its own, for which
            the pipeline does not wait. A crash lets it run again, so it is idempotent.
        step: name of the durable step that does this. Running pipelines remember it: it never changes.
        unfinished: ids of the revisions that the stage still concerns, or will soon; work of later stages that starts
            by itself waits for them. None where nothing waits for the stage.
    """

    name: str
    position: int
    workflow: Workflow | None
    applies: Ref[Callable[[Any], bool]]
    begin: Ref[Callable[[Any], tuple[str, int] | None]]
    step: str
    unfinished: Ref[Callable[[], Any]] | None = None
