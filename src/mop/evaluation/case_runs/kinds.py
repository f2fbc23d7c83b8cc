"""What one kind of run over cases is, and its parts, detached from the database."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from django.conf import settings

from mop.audit.transitions import Change, Entity
from mop.evaluation.case_runs.models import CaseOutcome, CaseRun
from mop.evaluation.case_runs.states import CaseRunState
from mop.hosting.jobs import RevisionJob, job_of
from mop.onboarding.contract import TaskInput
from mop.onboarding.jobs import task_input_of
from mop.registry.models import Revision, TaskConnection
from mop.serving.row_runner import Pace
from mop.serving_options import ServingOptions

R = TypeVar("R", bound=CaseRun)
Key = int
Wanted = Mapping[Key, str]
"""The cases of a task: the key of each, and the digest of it and of how it is asked, in the order of the keys."""


@dataclass(frozen=True)
class CaseTask:
    """A task whose cases are asked."""

    task_id: int
    task: TaskInput


class Question(NamedTuple):
    """One case. The body is hidden content: it goes to the model's process and nowhere else.

    Attributes:
        body: the MOP input as JSON.
        expected: the label that is right, as outcomes show it.
        passes: the labels that are taken for right.
    """

    key: Key
    digest: str
    body: bytes
    expected: str
    passes: frozenset[str]


@dataclass(frozen=True)
class CaseRunJob:
    """One attempt of a run.

    Attributes:
        source: the kind's own: which set of cases.
    """

    run_id: uuid.UUID
    attempt: int
    asks_all: bool
    measured_attempt: int | None
    digests: Mapping[str, str]
    measured_digests: Mapping[str, str]
    tasks: tuple[CaseTask, ...]
    revision_job: RevisionJob
    pace: Pace
    source: Any = None


@dataclass(frozen=True, kw_only=True)
class CaseKind(Generic[R]):
    """One kind of run.

    Attributes:
        entity: changes the state of a run.
        outcomes: the table of outcomes, with a foreign key `run`.
        key: its column that names the case.
        tasks: whose cases are run now, of a run; raises RunNotPossibleError when it cannot be run as things
            stand.
        source: of a run, what `wanted` and `load` are told.
        wanted: the cases of a task as they stand now, without their content.
        load: questions by their keys; those that are gone are left out.
        standing: of these keys those that still stand, kept until the transaction ends.
    """

    entity: Entity[R, CaseRunState]
    outcomes: type[CaseOutcome]
    key: str
    tasks: Callable[[R], Sequence[CaseTask]]
    source: Callable[[R], Any]
    wanted: Callable[[Any, CaseTask], Wanted]
    load: Callable[[Any, CaseTask, Sequence[Key]], Sequence[Question]]
    standing: Callable[[Collection[Key]], Collection[Key]]

    def job_for(self, row: R) -> CaseRunJob:
        """The job of a run as things stand now.

        Raises:
            RunNotPossibleError: it cannot be run as things stand.
        """
        revision = row.revision
        options = ServingOptions.of(revision)
        return CaseRunJob(
            run_id=row.pk,
            attempt=row.attempt,
            asks_all=row.asks_all,
            measured_attempt=row.measured_attempt,
            digests=digests_of(revision),
            measured_digests={name: getattr(row, name) for name in digests_of(revision)},
            tasks=tuple(self.tasks(row)),
            revision_job=job_of(revision, name=f"{self.entity.name.replace(' ', '-')}-{row.pk}", owner=str(row)),
            pace=Pace.of(
                workers=options.worker_number,
                batch=options.batch_max_size if options.batch_enabled else 1,
                deadline_s=settings.MOP_REQUEST_DEADLINE,
            ),
            source=self.source(row),
        )


def digests_of(revision: Revision) -> dict[str, str]:
    """What of a version an outcome depends on, as columns of a run."""
    return {"artifact_digest": revision.artifact_digest, "environment_digest": revision.environment_key}


def case_task_of(connection: TaskConnection) -> CaseTask:
    """The task of a connection, with the name that the model gives its taxonomy."""
    return CaseTask(connection.task_id, task_input_of(connection.task, connection.customized_name))


def question_digest(task: CaseTask, *facts: str) -> str:
    """The digest of a case and of how it is asked.

    Args:
        task: whose.
        facts: what else of the case an outcome depends on, such as the digest of its content.
    """
    asked = (str(task.task_id), task.task.customized_name, *task.task.labels, *facts)
    return hashlib.sha256("\0".join(asked).encode()).hexdigest()


def cases_digest(wanted: Mapping[CaseTask, Wanted]) -> str:
    """The digest of all cases of a run."""
    return digest_of_tasks(task_digest(cases) for cases in wanted.values())


def task_digest(cases: Wanted) -> str:
    """The digest of the cases of one task."""
    return hashlib.sha256("\n".join(f"{key}:{cases[key]}" for key in sorted(cases)).encode()).hexdigest()


def digest_of_tasks(digests: Iterable[str]) -> str:
    """The digest of the cases of several tasks."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def set_fields(change: Change[Any, CaseRunState]) -> None:
    """The columns of a run that belong to its state."""
    row = change.row
    if change.to == CaseRunState.QUEUED:
        row.queued_at, row.started_at, row.ended_at = change.at, None, None
        row.progress = 0
    elif change.to == CaseRunState.RUNNING:
        row.started_at = change.at
    elif change.to.is_final:
        row.ended_at, row.note = change.at, ""
