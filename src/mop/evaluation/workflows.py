"""The durable evaluation: a fresh service answers the dataset's rows, is killed, and the answers are counted.

Rows are kept part by part in the artifact store, so that a run resumes behind the last part, on this host or another.
The numbers are computed from what is kept, and from nothing else. What the model wrote, raised and ended with is
dropped: of errors the catalogue's names remain.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from dbos import DBOS

from mop.datasets.caged_rows import HiddenRow, HiddenRows, hidden_rows
from mop.engine.database import in_database
from mop.engine.fence import WorkerLostError
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import ArtifactDamagedError, InternalError, MopError
from mop.evaluation.advance import EVALUATION
from mop.evaluation.answers import Answers, RowFacts
from mop.evaluation.area import RUN
from mop.evaluation.counting import PLACES_MAX
from mop.evaluation.hidden_run import Notes, answer_all, prove_mapping
from mop.evaluation.jobs import (
    EvaluationJob,
    begin,
    conclude,
    finish,
    read_chunks,
    read_done,
    read_job,
    say,
    store_chunk,
)
from mop.evaluation.kept import count_all, keep_part, keep_whole
from mop.evaluation.predictions import length_range
from mop.hosting.this_host import host_name, host_tools
from mop.hosting.tools import HostTools, host_lock
from mop.serving.row_runner import run_lists
from mop.serving.service import Service

watch = Watch("evaluation", EVALUATION.wanted)


@DBOS.workflow(name=RUN.name)
async def run(evaluation_id: str, attempt: int, tries: int = 1) -> str:
    """One try of an evaluation's run.

    Returns:
        `finished`, the state it is in otherwise (`queued`: it is tried again), or `stale` when somebody cancelled or
        deleted it.
    """
    outcome = await measure_step(evaluation_id, attempt, tries)
    return "finished" if outcome is None else await conclude_step(evaluation_id, attempt, outcome, tries)


@DBOS.step(name="evaluation.measure", preemptible=True)
async def measure_step(evaluation_id: str, attempt: int, tries: int = 1) -> Outcome:
    """Answer every row that is not kept yet, count them all, and keep the result; nothing of it goes to the engine."""

    async def work() -> None:
        job = await in_database(read_job)(evaluation_id, attempt, host_name(), tries)
        try:
            await _measure(job)
        except (MopError, WorkerLostError):
            raise
        except Exception as error:  # noqa: BLE001 - its message and traceback may quote a row, and would be logged
            raise InternalError(f"A {type(error).__name__} ended the evaluation.") from None

    return await guarded(Run(evaluation_id, attempt), work, watch=watch)


@DBOS.step(name="evaluation.conclude")
async def conclude_step(evaluation_id: str, attempt: int, outcome: Outcome, tries: int = 1) -> str:
    """Write why it did not finish."""
    return await concluded(outcome, failed=functools.partial(conclude, evaluation_id, attempt, tries))


async def _measure(job: EvaluationJob) -> None:
    notes = Notes(functools.partial(say, job))
    async with host_lock().shared(notes.tell):
        tools = await host_tools()
        await in_database(begin)(job)
        predictions = job.predictions_digest
        if not job.is_recount:
            answers = _Kept(job, tools)
            await answer_all(job.revision_job, left=answers.left, ask=answers.ask, observer=notes)
            parts = await in_database(read_chunks)(job)
            predictions = await keep_whole(tools.artifacts, [digest for digest, _ in parts])
        counting = await count_all(tools.artifacts, predictions, job.mapped, job.slices, rows=job.rows)
        document = await asyncio.to_thread(counting.document, least_rows=job.least_rows)
        await in_database(finish)(job, document=document, predictions=predictions, counting=counting)


class _Kept:
    """The answers of one run: what is in the database as parts, and what this process has beyond them."""

    def __init__(self, job: EvaluationJob, tools: HostTools) -> None:
        self._job = job
        self._tools = tools
        self._answers = Answers(job.task, job.mapped, len(job.slices.names))
        self._since = time.monotonic()
        self._places = {label: place for place, label in enumerate(job.mapped.labels)}
        self._slice_places = [
            {value: place for place, value in enumerate(values)} for values in job.slices.values.values()
        ]

    async def left(self) -> int:
        """How many rows have no answer yet, and are not known to have none."""
        return self._job.rows - await self._rows()

    async def _rows(self) -> int:
        return (await in_database(read_done)(self._job)).rows + len(self._answers)

    async def ask(self, service: Service) -> None:
        """Let a service answer the rows that follow.

        Raises:
            EvaluationMappingError: the model's labels are not the task's.
            ServiceGaveUpError, HostLostError: by `run_lists`; the rows before count.
        """
        job = self._job
        await prove_mapping(job.task, service)
        wanted = HiddenRows(self._file(), job.spec, frozenset(job.labels), job.slice_values, job.rows)
        facts: deque[RowFacts] = deque()
        self._since = time.monotonic()
        async with (
            aclosing(hidden_rows(wanted, sandbox=self._tools.sandbox, after=1 + await self._rows())) as rows,
            aclosing(run_lists(self._bodies(rows, facts), service=service, pace=job.pace)) as lists,
        ):
            async for outcomes in lists:
                for outcome in outcomes:
                    self._answers.add(facts.popleft(), outcome)
                    if len(self._answers) >= job.chunk_rows:
                        await self._keep()
        if len(self._answers):
            await self._keep()

    async def _bodies(self, rows: AsyncIterator[HiddenRow], facts: deque[RowFacts]) -> AsyncIterator[bytes]:
        async for row in rows:
            facts.append(RowFacts(row.number, self._places[row.label], self._slices_of(row)))
            yield row.body

    def _slices_of(self, row: HiddenRow) -> tuple[int, ...]:
        found = [places[value] for places, value in zip(self._slice_places, row.slices, strict=False)]
        if self._job.has_length:
            found.append(length_range(row.characters))
        return tuple(found)

    async def _keep(self) -> None:
        job, answers = self._job, self._answers
        done = await in_database(read_done)(job)
        digest = await keep_part(
            self._tools.artifacts, answers.predictions(), job.mapped, job.slices, number=done.chunks
        )
        now = time.monotonic()
        await in_database(store_chunk)(
            job,
            number=done.chunks,
            rows=len(answers),
            digest=digest,
            errors=answers.error_counts(),
            failed_rows=answers.failed_rows(PLACES_MAX),
            seconds=now - self._since,
        )
        self._since = now
        answers.clear()

    def _file(self) -> Path:
        path = self._tools.artifacts.path_of(self._job.sha256)
        if path is None or not path.is_file():
            raise ArtifactDamagedError("A dataset's file is missing in the artifact store.")
        return path
