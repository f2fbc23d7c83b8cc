"""The durable work of a run over cases, as its workflow's steps call it.

Outcomes are kept part by part, so that a run resumes with the cases that have none, on this host or another.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import InternalError, MopError
from mop.evaluation.answers import answer_of
from mop.evaluation.case_runs.keeping import (
    CHUNK_CASES,
    Judged,
    begin,
    conclude,
    finish,
    left,
    load,
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
from mop.serving.row_runner import ServiceGaveUpError, run_rows
from mop.serving.service import Service

LOADED_AT_ONCE = 32  # images among them may have some MiB each


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
        while not await in_database(finish)(kind, job):
            await answer_all(
                job.revision_job,
                left=functools.partial(in_database(left), kind, job),
                ask=functools.partial(_ask, kind, job),
                observer=notes,
            )


async def _ask(kind: CaseKind[Any], job: CaseRunJob, service: Service) -> None:
    """Let a service answer the cases without an outcome, task by task.

    Raises:
        EvaluationMappingError: the model's labels are not a task's.
        ServiceGaveUpError, HostLostError: by `run_rows`; the outcomes before count.
    """
    waiting = await in_database(pending)(kind, job)
    for task in waiting:
        await prove_mapping(task.task, service)
    keeper = _Keeper(kind, job, waiting)
    try:
        for task, keys in waiting.items():
            contract = task.task.contract()
            asked: deque[Question] = deque()
            bodies = _bodies(kind, job, task, keys, asked)
            async with aclosing(bodies), aclosing(run_rows(bodies, service=service, pace=job.pace)) as outcomes:
                async for outcome in outcomes:
                    answer = answer_of(outcome, contract)
                    await keeper.add(Judged(asked.popleft(), answer.label, answer.error))
    except (MopError, ServiceGaveUpError):
        await keeper.keep()
        raise
    await keeper.keep()


async def _bodies(
    kind: CaseKind[Any], job: CaseRunJob, task: CaseTask, keys: Sequence[Key], asked: deque[Question]
) -> AsyncGenerator[bytes, None]:
    for place in range(0, len(keys), LOADED_AT_ONCE):
        for question in await in_database(load)(kind, job, task, keys[place : place + LOADED_AT_ONCE]):
            asked.append(question)
            yield question.body


class _Keeper:
    """Outcomes that are not in the database yet."""

    def __init__(self, kind: CaseKind[Any], job: CaseRunJob, waiting: Mapping[CaseTask, Sequence[Key]]) -> None:
        self._kind, self._job = kind, job
        self._left = sum(map(len, waiting.values()))
        self._most = max(1, min(CHUNK_CASES, -(-self._left * PROGRESS_STEP // 100)))
        self._found: list[Judged] = []

    async def add(self, judged: Judged) -> None:
        self._found.append(judged)
        if len(self._found) >= self._most:
            await self.keep()

    async def keep(self) -> None:
        if not self._found:
            return
        self._left -= len(self._found)
        await in_database(store)(self._kind, self._job, self._found, left=max(0, self._left))
        self._found.clear()
