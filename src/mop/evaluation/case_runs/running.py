"""The durable work of a run over cases, as its workflow's steps call it.

Outcomes are kept part by part, so that a run resumes with the cases that have none, on this host or another.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from mop.catalog.models import Modality
from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import InternalError, MopError
from mop.evaluation.answers import label_of
from mop.evaluation.case_runs.keeping import (
    CHUNK_CASES,
    Ahead,
    Judged,
    Known,
    begin,
    conclude,
    finish,
    load,
    look_ahead,
    pending,
    read_job,
    say,
    store,
)
from mop.evaluation.case_runs.kinds import CaseKind, CaseRunJob, CaseTask, Key, Question
from mop.evaluation.hidden_run import Notes, answer_all, prove_mapping
from mop.evaluation.models import PROGRESS_STEP
from mop.hosting.this_host import host_name
from mop.hosting.tools import host_lock
from mop.serving.row_runner import ServiceGaveUpError, run_lists
from mop.serving.service import Service

LOADED_AT_ONCE, TEXTS_AT_ONCE = 32, 512  # images may have some MiB each
FIRST_TEXTS = 64  # the model waits for these


async def measured(kind: CaseKind[Any], run_id: str, attempt: int, *, watch: Watch) -> Outcome:
    """Answer every case that has no outcome yet, and let the result stand; nothing of it goes to the engine."""

    async def work() -> None:
        job = await in_database(read_job)(kind, run_id, attempt, host_name())
        try:
            await _measure(kind, job)
        except (MopError, WorkerLostError):
            raise
        except Exception as error:  # noqa: BLE001 - its message and traceback may quote a case, and would be logged
            raise InternalError(f"A {type(error).__name__} ended the {kind.entity.name}.") from None

    return await guarded(Run(run_id, attempt), work, watch=watch)


async def ended(kind: CaseKind[Any], run_id: str, attempt: int, outcome: Outcome) -> str:
    """Write why an attempt did not finish."""
    return await concluded(outcome, failed=functools.partial(conclude, kind, run_id, attempt))


async def _measure(kind: CaseKind[Any], job: CaseRunJob) -> None:
    notes = Notes(functools.partial(say, kind, job))
    async with host_lock().shared(notes.tell):
        await in_database(begin)(kind, job)
        known = Known()
        while not await in_database(finish)(kind, job, known):
            asker = _Asker(kind, job, known)
            await answer_all(job.revision_job, left=asker.left, ask=asker.ask, observer=notes)


class _Asker:
    """Lets services answer the cases without an outcome, task by task."""

    def __init__(self, kind: CaseKind[Any], job: CaseRunJob, known: Known) -> None:
        self._kind, self._job, self._known = kind, job, known
        self._waiting: Mapping[CaseTask, Sequence[Key]] = {}

    async def left(self) -> int:
        """How many cases have no outcome; a service that is asked next answers these."""
        self._waiting = await in_database(pending)(self._kind, self._job)
        return sum(map(len, self._waiting.values()))

    async def ask(self, service: Service) -> None:
        """Ask what was left. What is gone by now is left out; what came or changed since is asked in another turn.

        Raises:
            EvaluationMappingError: the model's labels are not a task's.
            ServiceGaveUpError, HostLostError: by `run_lists`; the outcomes before count.
        """
        keeper = _Keeper(self._kind, self._job, self._waiting, self._known)
        bodies = [_Bodies(self._kind, self._job, task, keys) for task, keys in self._waiting.items()]
        try:
            bodies[0].begin()
            for one in bodies:
                await prove_mapping(one.task.task, service)
            for one in bodies:
                await self._ask_each(one, keeper, service, is_last=one is bodies[-1])
            await keeper.keep()
        except (MopError, ServiceGaveUpError):
            await keeper.keep()
            raise
        finally:
            for one in bodies:
                one.let_go()
            keeper.let_go()

    async def _ask_each(self, bodies: _Bodies, keeper: _Keeper, service: Service, *, is_last: bool) -> None:
        contract = bodies.task.task.contract()
        asked: deque[Question] = deque()
        async with (
            aclosing(bodies.each(asked)) as rows,
            aclosing(run_lists(rows, service=service, pace=self._job.pace)) as lists,
        ):
            async for outcomes in lists:
                if is_last and bodies.are_read:
                    keeper.look_ahead()
                await keeper.add([Judged(asked.popleft(), *label_of(outcome, contract)) for outcome in outcomes])


class _Bodies:
    """The cases of a task one after the other; the next ones are read while these are asked."""

    def __init__(self, kind: CaseKind[Any], job: CaseRunJob, task: CaseTask, keys: Sequence[Key]) -> None:
        self.task = task
        self._load = functools.partial(in_database(load), kind, job, task)
        self._parts = iter(_parts(keys, is_text=task.task.modality == Modality.TEXT))
        self._coming: asyncio.Future[Sequence[Question]] | None = None

    def begin(self) -> None:
        """Begin to read the next ones."""
        keys = next(self._parts, None)
        self._coming = None if keys is None else asyncio.ensure_future(self._load(keys))

    async def each(self, asked: deque[Question]) -> AsyncGenerator[bytes, None]:
        """Their bodies; `asked` takes each question whose body is given out."""
        if self._coming is None:
            self.begin()
        while self._coming is not None:
            questions = await self._coming
            self.begin()
            for question in questions:
                asked.append(question)
                yield question.body

    @property
    def are_read(self) -> bool:
        """Whether all of them are read, and asked for the greatest part."""
        return self._coming is None

    def let_go(self) -> None:
        """Nobody asks for more."""
        if self._coming is not None:
            _let_go(self._coming)


def _parts(keys: Sequence[Key], *, is_text: bool) -> Iterator[Sequence[Key]]:
    """Keys of cases that are read at once; of texts few at first, for which the model waits."""
    place, most = 0, FIRST_TEXTS if is_text else LOADED_AT_ONCE
    while place < len(keys):
        yield keys[place : place + most]
        place, most = place + most, TEXTS_AT_ONCE if is_text else LOADED_AT_ONCE


def _let_go(work: asyncio.Future[Any]) -> None:
    """Nobody waits for this work any more, and what it raised may quote a case: it is not logged."""
    work.add_done_callback(lambda done: done.cancelled() or done.exception())


class _Keeper:
    """Outcomes that are not in the database yet. One part is written while the model answers the next."""

    def __init__(
        self, kind: CaseKind[Any], job: CaseRunJob, waiting: Mapping[CaseTask, Sequence[Key]], known: Known
    ) -> None:
        self._kind, self._job, self._known = kind, job, known
        self._left = sum(map(len, waiting.values()))
        self._most = max(1, min(CHUNK_CASES, -(-self._left * PROGRESS_STEP // 100)))
        self._found: list[Judged] = []
        self._writing: asyncio.Future[Mapping[Key, str]] | None = None
        self._looking: asyncio.Future[Ahead] | None = None

    def look_ahead(self) -> None:
        """Read what will have to be read once more in the end, while the model answers the last cases."""
        if self._looking is None:
            self._looking = asyncio.ensure_future(in_database(look_ahead)(self._kind, self._job))

    async def add(self, judged: Sequence[Judged]) -> None:
        """Take the outcomes of the next cases; near the end they are written at once, so that little is left then."""
        self._found += judged
        while len(self._found) >= min(self._most, max(1, self._left - self._most)):
            await self._begin_to_write()

    async def keep(self) -> None:
        """Everything is in the database when this returns."""
        while self._found:
            await self._begin_to_write()
        await self._written()
        if self._looking is not None:
            looking, self._looking = self._looking, None
            self._known.ahead = await looking

    def let_go(self) -> None:
        """The run ends without what is being written and read."""
        for work in (self._writing, self._looking):
            if work is not None:
                _let_go(work)

    async def _begin_to_write(self) -> None:
        await self._written()
        found, self._found = self._found[: self._most], self._found[self._most :]
        self._left -= len(found)
        self._writing = asyncio.ensure_future(in_database(store)(self._kind, self._job, found, left=max(0, self._left)))

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            self._known.stored.update(await writing)
