"""What the steps of a run read and write, each as one transaction. Nothing of it is a case's content."""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from mop import failpoints
from mop.engine.bulk import each_of, insert_rows
from mop.engine.fence import hold_fence
from mop.engine.watch import Run
from mop.errors import EvaluationMappingError, ModelFault, MopError, OutsideFault, PlatformFault, StaleAttemptError
from mop.evaluation.case_runs.kinds import CaseKind, CaseRunJob, CaseTask, Key, Question, Wanted, cases_digest
from mop.evaluation.case_runs.models import COUNTS, CaseOutcome
from mop.evaluation.case_runs.states import CASE_RUN_LIFECYCLE, CaseRunState
from mop.evaluation.models import PROGRESS_STEP
from mop.hosting.this_host import WORKER
from mop.notifications.alerts import raise_alert

NOTE_CHARACTERS = 300
CHUNK_CASES = 500
FRESH_SECONDS = 1.0
_AT_ONCE = 2_000
AGAIN = "It is tried again by itself several times. Tell the operator if it goes on failing."


class Judged(NamedTuple):
    """What became of a question: the label that was predicted, or the name of why there is none."""

    question: Question
    predicted: str
    error: str

    @property
    def is_passed(self) -> bool:
        """Whether the label is one that is taken for right."""
        return not self.error and self.predicted in self.question.passes


class Ahead(NamedTuple):
    """The cases as they stood at a moment, in seconds of time.monotonic(), and the digest of them all."""

    wanted: Mapping[CaseTask, Wanted]
    digest: str
    at: float

    @property
    def is_fresh(self) -> bool:
        """Whether a result may be about them: what changes later is found as if it changed after the result."""
        return time.monotonic() - self.at < FRESH_SECONDS


@dataclass
class Known:
    """What the process that makes a run knows of it. `finish` trusts the database where it says otherwise.

    Attributes:
        stored: the digest of each case whose outcome this process stored in this attempt.
        ahead: what `look_ahead` found; None before that.
    """

    stored: dict[Key, str] = field(default_factory=dict)
    ahead: Ahead | None = None


def read_job(kind: CaseKind[Any], run_id: str, attempt: int, host: str) -> CaseRunJob:
    """The job of an attempt, which this host works on from now on.

    Raises:
        StaleAttemptError: it is over, or gone.
        RunNotPossibleError: it cannot be run as things stand.
        WorkerLostError: this worker's work was given to another.
    """
    return kind.job_for(kind.entity.claim(Run(run_id, attempt), host=host))


@transaction.atomic
def begin(kind: CaseKind[Any], job: CaseRunJob) -> None:
    """The run has a host. Outcomes of the attempt before that still hold are taken over, unless all is asked anew."""
    row = kind.entity.lock(job.run_id, attempt=job.attempt)
    kind.entity.move(row, CaseRunState.RUNNING, actor=WORKER)
    if job.asks_all or job.measured_attempt is None or job.digests != job.measured_digests:
        return
    wanted = {key: digest for cases in wanted_of(kind, job).values() for key, digest in cases.items()}
    kept = [one for one in _outcomes(kind, job, job.measured_attempt) if wanted.get(_key(kind, one)) == one.case_digest]
    for one in kept:
        one.pk, one.attempt = None, job.attempt
    _table(kind).bulk_create(kept, ignore_conflicts=True, batch_size=_AT_ONCE)


def say(kind: CaseKind[Any], job: CaseRunJob, note: str) -> None:
    """Tell those who look what the run waits for."""
    with transaction.atomic():
        hold_fence()
        rows = _table_of_runs(kind).filter(pk=job.run_id, attempt=job.attempt, state__in=CASE_RUN_LIFECYCLE.live)
        rows.update(note=note[:NOTE_CHARACTERS])


def wanted_of(kind: CaseKind[Any], job: CaseRunJob) -> Mapping[CaseTask, Wanted]:
    """The cases as they stand now."""
    return {task: kind.wanted(job.source, task) for task in job.tasks}


def pending(kind: CaseKind[Any], job: CaseRunJob) -> Mapping[CaseTask, Sequence[Key]]:
    """The cases without an outcome in this attempt, or with one of how they were before; tasks without such are out."""
    done = _digests(kind, job)
    found = {
        task: [key for key, digest in cases.items() if done.get(key) != digest]
        for task, cases in wanted_of(kind, job).items()
    }
    return {task: keys for task, keys in found.items() if keys}


def look_ahead(kind: CaseKind[Any], job: CaseRunJob) -> Ahead:
    """The cases as they stand now, shortly before the last outcomes come."""
    at = time.monotonic()
    wanted = wanted_of(kind, job)
    return Ahead(wanted, cases_digest(wanted), at)


def load(kind: CaseKind[Any], job: CaseRunJob, task: CaseTask, keys: Sequence[Key]) -> Sequence[Question]:
    """Questions with their content."""
    return kind.load(job.source, task, keys)


def store(kind: CaseKind[Any], job: CaseRunJob, found: Collection[Judged], *, left: int) -> Mapping[Key, str]:
    """Keep outcomes; what is stored twice after a crash stands once.

    What people see of it changes in steps of 5 per cent alone.

    Args:
        kind: of the run.
        job: the run.
        found: outcomes.
        left: cases without an outcome, when these have theirs.

    Returns:
        The digest of each case whose outcome is kept; cases that are gone by now have none.

    Raises:
        StaleAttemptError: the run is over.
        WorkerLostError: this worker's work was given to another.
    """
    with transaction.atomic():
        hold_fence()
        run = _table_of_runs(kind).filter(pk=job.run_id, attempt=job.attempt)
        row = (
            run.select_for_update().values_list("state", "progress").first()
        )  # the whole of it takes as long as all else
        if row is None or row[0] != CaseRunState.RUNNING:
            raise StaleAttemptError(f"{kind.entity.name} {job.run_id} is over")
        standing = set(kind.standing([one.question.key for one in found]))
        rows = _in_attempt(kind, job.run_id, job.attempt)
        rows.filter(**{f"{kind.key}__in": each_of(standing)}).delete()
        kept = [one for one in found if one.question.key in standing]
        _insert(kind, job, kept)
        done = rows.count()
        progress = 100 * done // max(1, done + left) // PROGRESS_STEP * PROGRESS_STEP
        if progress != row[1]:
            run.update(progress=progress, note="")
        failpoints.hit(f"before {kind.entity.name} chunk")
        transaction.on_commit(functools.partial(failpoints.hit, f"after {kind.entity.name} chunk"))
    return {one.question.key: one.question.digest for one in kept}


@transaction.atomic
def finish(kind: CaseKind[Any], job: CaseRunJob, known: Known) -> bool:
    """Let the result stand, if every case has an outcome; it takes the place of the one before.

    It is about the cases as they stand now, or stood at the look ahead, if that was less than a second ago. Nothing but
    the fence and the lock of the run's row lets anybody else write outcomes of this attempt, so what this process
    stored need not be read again, unless there are more or fewer outcomes than it knows of.

    Returns:
        Whether it does. Cases that came or changed meanwhile are to be asked first.

    Raises:
        StaleAttemptError: the run was cancelled or deleted meanwhile.
        WorkerLostError: this worker's work was given to another.
    """
    row = kind.entity.lock(job.run_id, attempt=job.attempt)
    ahead, counts = known.ahead, _counts(kind, job)
    if ahead and ahead.is_fresh and known.stored == _all_of(ahead.wanted) and len(known.stored) == counts["cases"]:
        cases = ahead.digest
    else:
        wanted = wanted_of(kind, job)
        current, done, cases = _all_of(wanted), _digests(kind, job), cases_digest(wanted)
        if any(done.get(key) != digest for key, digest in current.items()):
            return False
        gone = done.keys() - current.keys()
        _in_attempt(kind, job.run_id, job.attempt).filter(**{f"{kind.key}__in": each_of(gone)}).delete()
        counts = _counts(kind, job)
    _table(kind).filter(run_id=job.run_id).exclude(attempt=job.attempt).delete()
    kind.entity.move(
        row,
        CaseRunState.FINISHED,
        actor=WORKER,
        facts={
            **counts,
            **job.digests,
            "cases_digest": cases,
            "measured_attempt": job.attempt,
            "progress": 100,
            "is_stale": False,
            "measured_at": timezone.now(),
        },
    )
    return True


def conclude(kind: CaseKind[Any], run_id: str, attempt: int, error: MopError) -> CaseRunState:
    """Write why an attempt did not finish. Its outcomes go; the result that stood stays.

    Raises:
        StaleAttemptError: it was cancelled or deleted meanwhile.
    """
    if isinstance(error, PlatformFault):
        raise_alert(actor=WORKER, fault=error)
    if isinstance(error, OutsideFault):
        error = type(error)(error.message, hint=error.hint or AGAIN, place=error.place, also=error.also)
    elif isinstance(error, ModelFault):  # by its name: the model may have chosen its words by what it saw
        error = type(error)("The model could not be run to the last case. What it did is withheld.")
    to = CaseRunState.MAPPING_ERROR if isinstance(error, EvaluationMappingError) else CaseRunState.FAILED
    with transaction.atomic():
        row = kind.entity.lock(run_id, attempt=attempt)
        kind.entity.move(row, to, actor=WORKER, error=error)
        drop_unfinished(kind, row)
    return to


def drop_unfinished(kind: CaseKind[Any], row: Any) -> None:
    """Outcomes of an attempt that ended otherwise than well say nothing."""
    if row.attempt != row.measured_attempt:
        _in_attempt(kind, row.pk, row.attempt).delete()


def _insert(kind: CaseKind[Any], job: CaseRunJob, found: Collection[Judged]) -> None:
    options = kind.outcomes._meta  # noqa: SLF001 - Django's documented name
    fields = {field.attname: field for field in options.concrete_fields}
    names = ("run_id", "attempt", "case_digest", "expected", "predicted", "error", "is_passed", kind.key)
    run = fields["run_id"].get_db_prep_save(job.run_id, connection)
    insert_rows(
        options.db_table,
        [str(fields[name].column) for name in names],
        [
            (
                run,
                job.attempt,
                one.question.digest,
                one.question.expected,
                one.predicted,
                one.error,
                one.is_passed,
                one.question.key,
            )
            for one in found
        ],
    )


def _all_of(wanted: Mapping[CaseTask, Wanted]) -> dict[Key, str]:
    current: dict[Key, str] = {}
    for cases in wanted.values():
        current.update(cases)
    return current


def _counts(kind: CaseKind[Any], job: CaseRunJob) -> dict[str, int]:
    found: dict[str, int] = _in_attempt(kind, job.run_id, job.attempt).aggregate(**COUNTS)
    return found


def _digests(kind: CaseKind[Any], job: CaseRunJob) -> dict[Key, str]:
    return dict(_in_attempt(kind, job.run_id, job.attempt).values_list(kind.key, "case_digest"))


def _outcomes(kind: CaseKind[Any], job: CaseRunJob, attempt: int) -> list[Any]:
    return list(_in_attempt(kind, job.run_id, attempt))


def _in_attempt(kind: CaseKind[Any], run_id: uuid.UUID, attempt: int) -> Any:
    return _table(kind).filter(run_id=run_id, attempt=attempt)


def _table(kind: CaseKind[Any]) -> Any:
    return kind.outcomes._default_manager  # noqa: SLF001 - Django's documented name


def _table_of_runs(kind: CaseKind[Any]) -> Any:
    return kind.entity.model._default_manager  # noqa: SLF001 - Django's documented name


def _key(kind: CaseKind[Any], outcome: CaseOutcome) -> Key:
    return int(getattr(outcome, kind.key))
