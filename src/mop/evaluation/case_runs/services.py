"""What every kind of run over cases does when it is started, run again or ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mop.audit.services import Actor
from mop.engine.job import Job
from mop.engine.retries import pause_after
from mop.errors import (
    CATALOGUE,
    ConflictError,
    MopError,
    OutsideFault,
    PlatformFault,
    RunNotPossibleError,
    StaleAttemptError,
)
from mop.evaluation.area import EVALUATIONS
from mop.evaluation.case_runs.keeping import drop_unfinished
from mop.evaluation.case_runs.kinds import CaseKind, CaseTask, digest_of_tasks, digests_of, task_digest
from mop.evaluation.case_runs.models import CaseRun
from mop.evaluation.case_runs.states import CaseRunState
from mop.evaluation.turns import priority_of


def job_of_kind(kind: CaseKind[Any], workflow: str) -> Job[Any]:
    """The durable work of a kind's runs."""
    return Job(
        workflow=workflow,
        workflow_id=lambda run: f"{kind.entity.object_type}:{run.pk}:{run.attempt}",
        queue=lambda run: str(run.queue),
        args=lambda run: (str(run.pk), run.attempt),
        waiting=kind.entity.waiting,
        release=kind.entity.release,
        priority=lambda run: int(run.priority),
    )


def start(kind: CaseKind[Any], job: Job[Any], run: CaseRun, *, actor: Actor) -> None:
    """Save a new run and let it wait for a host. Call it in a transaction that holds its revision locked."""
    run.created_by_label = actor.label
    _take_turn(run)
    kind.entity.begin(run, actor=actor)
    job.start(run)


@transaction.atomic
def run_again(
    kind: CaseKind[Any], job: Job[Any], run: CaseRun, *, actor: Actor, asks_all: bool, detail: str
) -> CaseRun:
    """Begin the next attempt. The result that stands stays until it ends well.

    Raises:
        ConflictError: it waits or runs, or cannot be run as things stand.
    """
    row: CaseRun = kind.entity.lock(run.pk)
    if row.get_state().is_live:
        raise ConflictError(f"The {row} is {row.state} already.", hint="Wait for it, or cancel it first.")
    kind.tasks(row)
    row.created_by_label, row.asks_all = actor.label, asks_all
    _take_turn(row)
    kind.entity.restart(row, actor=actor, detail=detail)
    job.start(row)
    return row


def renew_changed(kind: CaseKind[Any], job: Job[Any], runs: Iterable[CaseRun], *, actor: Actor) -> int:
    """Mark results that hold no longer as stale and run them again: what changed is asked, the rest is taken over.

    Returns:
        How many there were.
    """
    seen: dict[tuple[Any, CaseTask], str] = {}
    count = 0
    for run in runs:
        try:
            if not _has_changed(kind, run, seen):
                continue
        except RunNotPossibleError:
            continue  # once it can be run, it is looked at again
        with transaction.atomic():
            row: CaseRun = kind.entity.lock(run.pk)
            if row.get_state() == CaseRunState.FINISHED:
                row.is_stale = True
                row.save(update_fields=["is_stale"])
                run_again(kind, job, row, actor=actor, asks_all=False, detail="stale")
                count += 1
    return count


def begin_again(kind: CaseKind[Any], job: Job[Any], runs: QuerySet[Any], *, actor: Actor) -> None:
    """Begin what ended because it could not be run as things stood, and can be run now."""
    ended = (CaseRunState.CANCELLED, CaseRunState.FAILED)
    for run in runs.filter(state__in=ended, error__name=RunNotPossibleError.__name__):
        try:
            run_again(kind, job, run, actor=actor, asks_all=run.asks_all, detail="possible again")
        except (ConflictError, StaleAttemptError):
            continue  # it still cannot be run, or somebody was faster


def _has_changed(kind: CaseKind[Any], run: CaseRun, seen: dict[tuple[Any, CaseTask], str]) -> bool:
    """Whether version, connection or cases are others than those that the result is about.

    Args:
        kind: of the run.
        run: that finished.
        seen: digests of the cases of tasks, so that they are read once for many runs.
    """
    if digests_of(run.revision) != {name: getattr(run, name) for name in digests_of(run.revision)}:
        return True
    source = kind.source(run)
    for task in (tasks := kind.tasks(run)):
        if (source, task) not in seen:
            seen[source, task] = task_digest(kind.wanted(source, task))
    return digest_of_tasks(seen[source, task] for task in tasks) != run.cases_digest


@transaction.atomic
def cancel(kind: CaseKind[Any], job: Job[Any], run: CaseRun, *, actor: Actor, error: MopError | None = None) -> CaseRun:
    """End a run that waits or goes on; a result that stands stays. `error` says why, where nobody asked for it.

    Raises:
        ConflictError: it ended already.
    """
    row: CaseRun = kind.entity.lock(run.pk)
    if not row.get_state().is_live:
        raise ConflictError(f"The {row} is {row.state}; there is nothing to cancel.")
    kind.entity.move(row, CaseRunState.CANCELLED, actor=actor, error=error)
    drop_unfinished(kind, row)
    job.stop(row)
    return row


def try_again(kind: CaseKind[Any], job: Job[Any], runs: Iterable[CaseRun], *, actor: Actor) -> None:
    """Run again what a cause outside the model ended, after a pause that doubles, as often as versions are tried."""
    for run in runs:
        fault = CATALOGUE.get((run.error or {}).get("name", ""), MopError)
        in_a_row = run.attempt - (run.measured_attempt or 0)
        is_over = in_a_row > settings.MOP_RETRY_MAX and not issubclass(fault, PlatformFault)
        if not issubclass(fault, OutsideFault) or is_over or run.ended_at is None:
            continue
        if run.ended_at + pause_after(in_a_row - 1) <= timezone.now():
            try:
                run_again(
                    kind, job, run, actor=actor, asks_all=run.asks_all, detail=f"tried again after {fault.__name__}"
                )
            except (ConflictError, StaleAttemptError):
                continue  # it cannot be run any more, or somebody was faster


def end_unwanted(kind: CaseKind[Any], job: Job[Any], run: CaseRun, *, actor: Actor) -> None:
    """End a run that waits or goes on though it cannot be run any more."""
    try:
        kind.tasks(run)
    except RunNotPossibleError as error:
        try:
            cancel(kind, job, run, actor=actor, error=error)
        except (ConflictError, StaleAttemptError):
            return  # it ended by itself meanwhile


def _take_turn(run: CaseRun) -> None:
    run.queue = EVALUATIONS.of(run.revision.instance_type.queue_name)
    run.priority = priority_of(run.revision)
