"""What the workflow reads and writes of an evaluation, as plain functions for its steps."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from mop import failpoints
from mop.datasets.models import Dataset
from mop.datasets.reading.spec import DatasetSpec
from mop.engine.fence import hold_fence
from mop.engine.retries import RETRY_WINDOW, is_last_try, pause_after
from mop.engine.watch import Run
from mop.errors import (
    EvaluationMappingError,
    ModelFault,
    MopError,
    OutsideFault,
    PlatformFault,
    StaleAttemptError,
)
from mop.evaluation.advance import EVALUATION
from mop.evaluation.budget import count_measurement
from mop.evaluation.counting import PLACES_MAX, Counting
from mop.evaluation.dataset_columns import slice_columns_of, slice_values_of, spec_of
from mop.evaluation.label_map import LabelMap, label_map
from mop.evaluation.models import PROGRESS_STEP, Evaluation, EvaluationChunk, EvaluationResult, LabelScore
from mop.evaluation.predictions import SliceColumns
from mop.evaluation.results import LENGTH_COLUMN, EvaluationDocument
from mop.evaluation.states import EVALUATION_LIFECYCLE, EvaluationState
from mop.evaluation.wanted import digests_of, is_applicable, metric_version, not_applicable
from mop.hosting.jobs import RevisionJob, job_of
from mop.hosting.this_host import WORKER
from mop.notifications.alerts import raise_alert
from mop.onboarding.contract import TaskInput
from mop.onboarding.jobs import task_input_of
from mop.serving.row_runner import Pace
from mop.serving_options import ServingOptions

NOTE_CHARACTERS = 300
CHUNK_ROWS = 5_000
AGAIN = "It was tried again several times. Tell the operator; run the evaluation again when the cause is removed."


@dataclass(frozen=True)
class EvaluationJob:
    """One run of an evaluation, detached from the database.

    Attributes:
        digests: of everything that the numbers depend on, as columns.
        sha256: of dataset.csv in the artifact store.
        rows: of the dataset.
        chunk_rows: rows that are kept together; a run resumes behind the last such part.
        least_rows: slices with fewer are withheld.
    """

    evaluation_id: uuid.UUID
    dataset_id: int
    attempt: int
    is_recount: bool
    predictions_digest: str
    digests: Mapping[str, str]
    metric_version: str
    least_rows: int
    revision_job: RevisionJob
    task: TaskInput
    mapped: LabelMap
    slices: SliceColumns
    sha256: str
    spec: DatasetSpec
    labels: tuple[str, ...]
    slice_values: Mapping[str, tuple[str, ...]]
    rows: int
    chunk_rows: int
    pace: Pace

    @property
    def has_length(self) -> bool:
        """Whether text length is one of the slice columns."""
        return LENGTH_COLUMN in self.slices.values and LENGTH_COLUMN not in self.slice_values


@dataclass(frozen=True)
class Done:
    """The rows that are kept: how many, in how many parts, and the seconds that they took."""

    rows: int
    chunks: int
    seconds: float


def read_job(evaluation_id: str, attempt: int, host: str, tries: int = 1) -> EvaluationJob:
    """The job of a run, which this host works on from now on.

    Raises:
        StaleAttemptError: it is over, or gone, or in another try.
        RunNotPossibleError: it cannot be run as things stand.
        EvaluationMappingError: the labels of task and dataset do not fit.
        WorkerLostError: this worker's work was given to another.
    """
    with transaction.atomic():
        row = EVALUATION.claim(Run(evaluation_id, attempt), host=host)
        _check_try(row, tries)
    return job_for(row)


def _check_try(row: Evaluation, tries: int) -> None:
    if row.tries != tries:
        raise StaleAttemptError(f"evaluation {row.pk} is in try {row.tries}, not {tries}")


def job_for(row: Evaluation) -> EvaluationJob:
    """The job of an evaluation as things stand now.

    Raises:
        RunNotPossibleError: it cannot be run as things stand.
        EvaluationMappingError: the labels of task and dataset do not fit.
    """
    revision, dataset, task = row.revision, row.dataset, row.task
    connection = revision.model.connections.filter(task=task).first()
    if connection is None or not is_applicable(row):
        raise not_applicable(row)
    digests = digests_of(revision, task, dataset, connection.customized_name)
    options = ServingOptions.of(revision)
    rows = dataset.rows or 0
    return EvaluationJob(
        evaluation_id=row.pk,
        dataset_id=row.dataset_id,
        attempt=row.attempt,
        # of something that changed meanwhile the kept predictions say nothing
        is_recount=row.is_recount and bool(row.predictions_digest) and digests == _kept_digests(row),
        predictions_digest=row.predictions_digest,
        digests=digests,
        metric_version=metric_version(),
        least_rows=settings.MOP_EVALUATION_SLICE_ROWS_MIN,
        revision_job=job_of(revision, name=f"evaluation-{row.pk}", owner=str(row)),
        task=task_input_of(task, connection.customized_name),
        mapped=label_map(task, dataset),
        slices=slice_columns_of(dataset),
        sha256=dataset.reading.sha256,
        spec=spec_of(dataset),
        labels=tuple(one["label"] for one in dataset.labels),
        slice_values=slice_values_of(dataset),
        rows=rows,
        chunk_rows=max(1, min(CHUNK_ROWS, -(-rows * PROGRESS_STEP // 100))),
        pace=Pace.of(
            workers=options.worker_number,
            batch=options.batch_max_size if options.batch_enabled else 1,
            deadline_s=settings.MOP_REQUEST_DEADLINE,
        ),
    )


@transaction.atomic
def begin(job: EvaluationJob) -> None:
    """The run has a host. Its measurement is counted before its first row.

    Raises:
        EvaluationBudgetError: no budget is left.
    """
    hold_fence()
    if not job.is_recount:
        # two runs do not share the last place of a budget; the dataset first, as who deletes it locks it
        list(Dataset.objects.select_for_update(no_key=True).filter(pk=job.dataset_id).values_list("pk"))
    row = EVALUATION.lock(job.evaluation_id, attempt=job.attempt)
    if not job.is_recount:
        count_measurement(row)
    EVALUATION.move(row, EvaluationState.RUNNING, actor=WORKER)


def say(job: EvaluationJob, note: str) -> None:
    """Tell those who look what the run waits for."""
    with transaction.atomic():
        hold_fence()
        Evaluation.objects.filter(
            pk=job.evaluation_id, attempt=job.attempt, state__in=EVALUATION_LIFECYCLE.live
        ).update(note=note[:NOTE_CHARACTERS])


def read_done(job: EvaluationJob) -> Done:
    """The rows that are kept, also from before a crash."""
    chunks = EvaluationChunk.objects.filter(evaluation=job.evaluation_id, attempt=job.attempt)
    sums = chunks.aggregate(rows=Sum("rows"), seconds=Sum("seconds"))
    return Done(sums["rows"] or 0, chunks.count(), sums["seconds"] or 0.0)


def store_chunk(
    job: EvaluationJob,
    *,
    number: int,
    rows: int,
    digest: str,
    errors: Counter[str],
    failed_rows: Mapping[str, list[int]],
    seconds: float,
) -> None:
    """Keep a part of the rows; the one that is stored twice after a crash stands once.

    What people see of it (progress, time left, counts of errors) changes in steps of 5 per cent alone.

    Raises:
        StaleAttemptError: the run is over.
        WorkerLostError: this worker's work was given to another.
    """
    with transaction.atomic():
        row = EVALUATION.lock(job.evaluation_id, attempt=job.attempt)
        if row.get_state() != EvaluationState.RUNNING:
            raise StaleAttemptError(f"evaluation {job.evaluation_id} is over")
        done = read_done(job)
        if number != done.chunks:
            raise StaleAttemptError(f"part {number} of evaluation {job.evaluation_id} is kept already")
        EvaluationChunk.objects.create(
            evaluation=row,
            attempt=job.attempt,
            number=number,
            rows=rows,
            artifact_digest=digest,
            error_counts=dict(errors),
            failed_rows=failed_rows,
            seconds=seconds,
        )
        total = done.rows + rows
        progress = 100 * total // max(1, job.rows) // PROGRESS_STEP * PROGRESS_STEP
        if progress != row.progress:
            row.progress, row.note = progress, ""
            left = (done.seconds + seconds) / total * (job.rows - total)
            row.ends_about = timezone.now() + dt.timedelta(seconds=left)
            row.error_counts, row.failed_rows = _errors_so_far(job)
            row.save(update_fields=["progress", "note", "ends_about", "error_counts", "failed_rows"])
        failpoints.hit("before evaluation chunk")
        transaction.on_commit(functools.partial(failpoints.hit, "after evaluation chunk"))


def read_chunks(job: EvaluationJob) -> list[tuple[str, int]]:
    """The artifact and the number of rows of each part, in their order."""
    chunks = EvaluationChunk.objects.filter(evaluation=job.evaluation_id, attempt=job.attempt).order_by("number")
    return list(chunks.values_list("artifact_digest", "rows"))


@transaction.atomic
def finish(job: EvaluationJob, *, counting: Counting, document: EvaluationDocument, predictions: str) -> None:
    """Keep the result; it takes the place of the one before.

    Raises:
        StaleAttemptError: the run was cancelled or deleted meanwhile.
        WorkerLostError: this worker's work was given to another.
    """
    row = EVALUATION.lock(job.evaluation_id, attempt=job.attempt)
    EvaluationResult.objects.update_or_create(evaluation=row, defaults={"document": document.to_dict()})
    report = document.report()
    metrics = report.metrics
    row.label_scores.all().delete()
    if not document.levels:
        LabelScore.objects.bulk_create(
            LabelScore(evaluation=row, label=one.label, precision=one.precision, recall=one.recall, f1=one.f1)
            for one in report.labels
        )
    interval = document.headline_interval
    EVALUATION.move(
        row,
        EvaluationState.FINISHED,
        actor=WORKER,
        facts={
            **{name: value for name, value in metrics.items() if hasattr(row, name)},
            **{
                name: document.ordinal_metrics().get(name)
                for name in ("quadratic_weighted_kappa", "mean_absolute_error")
            },
            "headline": document.headline,
            "headline_low": interval.low if interval else None,
            "headline_high": interval.high if interval else None,
            "progress": 100,
            "error_counts": dict(counting.errors),
            "failed_rows": counting.failed_rows,
            "rows": document.matrix.total,
            "no_answer": document.matrix.no_answer,
            "measured_at": timezone.now(),
            "is_stale": False,
            "predictions_digest": predictions,
            "metric_version": job.metric_version,
            **job.digests,
        },
    )


@transaction.atomic
def conclude(evaluation_id: str, attempt: int, tries: int, error: MopError) -> EvaluationState:
    """Write why a try did not finish: after a cause outside the model it waits for another one, else the run is over.

    The fifth cause within 24 hours is the last. Faults of the platform do not count: the operator is told.

    Raises:
        StaleAttemptError: it was cancelled or deleted meanwhile, or this was written before a crash.
    """
    row = EVALUATION.lock(evaluation_id, attempt=attempt)
    _check_try(row, tries)
    if isinstance(error, PlatformFault):
        raise_alert(actor=WORKER, fault=error)
    if isinstance(error, OutsideFault):
        if facts := _next_try(row, error):
            EVALUATION.move(row, EvaluationState.QUEUED, actor=WORKER, error=error, facts=facts)
            return EvaluationState.QUEUED
        error = type(error)(error.message, hint=AGAIN, place=error.place, also=error.also)
    elif isinstance(error, ModelFault):  # by its name: the model may have chosen its words by what it saw
        error = type(error)("The model could not be run to the end of the dataset. What it did is withheld.")
    to = EvaluationState.MAPPING_ERROR if isinstance(error, EvaluationMappingError) else EvaluationState.FAILED
    EVALUATION.move(row, to, actor=WORKER, error=error)
    return to


def _next_try(row: Evaluation, error: OutsideFault) -> dict[str, Any]:
    """The columns of a run that is to be tried again; empty where this try was the last."""
    now = timezone.now()
    counted = [text for text in row.failed_at if dt.datetime.fromisoformat(text) > now - RETRY_WINDOW]
    if is_last_try(error, len(counted)):
        return {}
    if not isinstance(error, PlatformFault):
        counted.append(now.isoformat())
    return {
        "host": "",
        "tries": row.tries + 1,
        "retry_at": now + pause_after(row.tries - 1),
        "queued_at": now,
        "failed_at": counted,
        "error": error.to_dict(),
        "note": "",
    }


def _errors_so_far(job: EvaluationJob) -> tuple[dict[str, int], dict[str, list[int]]]:
    counts: Counter[str] = Counter()
    places: dict[str, list[int]] = {}
    chunks = EvaluationChunk.objects.filter(evaluation=job.evaluation_id, attempt=job.attempt).order_by("number")
    for error_counts, failed_rows in chunks.values_list("error_counts", "failed_rows"):
        counts.update(error_counts)
        for name, rows in failed_rows.items():
            places[name] = [*places.get(name, []), *rows][:PLACES_MAX]
    return dict(counts), places


def _kept_digests(row: Evaluation) -> dict[str, str]:
    names = ("artifact_digest", "environment_digest", "dataset_digest", "mapping_digest")
    return {name: getattr(row, name) for name in names}
