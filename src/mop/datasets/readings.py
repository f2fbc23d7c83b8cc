"""What the workflow reads and writes of a reading, as plain functions for its steps.

A reading has no status of its own: it lives as long as a dataset in `created` waits for it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mop.audit.services import Actor
from mop.catalog.models import Task
from mop.datasets.advance import DATASET
from mop.datasets.area import VERIFY
from mop.datasets.candidates import common_labels
from mop.datasets.labels import kept_labels
from mop.datasets.models import Dataset, LabelType, Reading
from mop.datasets.notices import notify_requested
from mop.datasets.reading.faults import Fault
from mop.datasets.reading.report import Report
from mop.datasets.reading.spec import BINARY_LABELS, DatasetSpec, LabelColumn, Limits, Modality
from mop.datasets.reading.spec import LabelType as Kind
from mop.datasets.sources import check_url
from mop.datasets.states import DatasetStatus
from mop.datasets.wording import about_a_dataset
from mop.engine.fence import hold_fence
from mop.engine.job import Job
from mop.engine.retries import RETRY_WINDOW, is_last_try, pause_after
from mop.engine.watch import Run
from mop.errors import DatasetFileError, MopError, OutsideFault, PlatformFault, StaleAttemptError
from mop.notifications.alerts import raise_alert

WORKER = Actor.system("worker")
WAITS_AGAIN = "waits"


@dataclass(frozen=True)
class ReadingJob:
    """One try of a reading, detached from the database.

    Attributes:
        labels: of each dataset that waits: its id, and what its column may hold.
    """

    reading_id: str
    tries: int
    url: str
    artifact_digest: str
    sha256: str
    size: int
    spec: DatasetSpec


def wanted_readings(runs: Collection[Run]) -> set[Run]:
    """Of these runs, those that a dataset still waits for. One query."""
    found = _living().filter(pk__in={run.id for run in runs}).values_list("pk", "tries")
    return {Run(str(pk), tries) for pk, tries in found} & set(runs)


def waiting_readings(before: dt.datetime) -> QuerySet[Reading]:
    """Readings that wait for a host since before a moment, and those whose next try is due."""
    is_new = Q(retry_at__isnull=True, created_at__lt=before)
    return _living().filter(host="").filter(is_new | Q(retry_at__lte=timezone.now()))


READING_JOB: Job[Reading] = Job(
    workflow=VERIFY.name,
    workflow_id=lambda reading: reading.workflow_id,
    queue=lambda _reading: VERIFY.queue.name,
    args=lambda reading: (str(reading.pk), reading.tries),
    waiting=waiting_readings,
)


@transaction.atomic
def claim(reading_id: str, tries: int, host: str) -> ReadingJob:
    """Take a try for a host, and give its job.

    Raises:
        StaleAttemptError: no dataset waits for it any more, or it is in another try.
        WorkerLostError: this worker's work was given to another.
        ModelUrlForbiddenError: the team may no longer read the url.
    """
    reading, datasets = _lock(reading_id, tries)
    if reading.host != host or reading.retry_at or reading.waits_for:
        reading.host, reading.retry_at, reading.waits_for = host, None, None
        reading.save(update_fields=["host", "retry_at", "waits_for"])
    file = reading.file
    if not reading.artifact_digest:
        check_url(file.url, team=file.team)
    return ReadingJob(
        reading_id=reading_id,
        tries=tries,
        url=file.url,
        artifact_digest=reading.artifact_digest,
        sha256=reading.sha256,
        size=reading.size or 0,
        spec=DatasetSpec(
            modality=Modality(file.modality),
            labels=tuple(_column_of(dataset) for dataset in datasets),
            group_columns=tuple(file.group_columns),
            language_column=file.language_column or None,
            limits=Limits(pixels=settings.MOP_DATASET_PIXELS_MAX, digest_bytes=settings.MOP_DATASET_DIGEST_BYTES_MAX),
        ),
    )


@transaction.atomic
def store_snapshot(job: ReadingJob, *, digest: str, sha256: str, size: int, fingerprint: str) -> None:
    """Keep what the reading copied; from now on it never reads the url again.

    Raises:
        StaleAttemptError, WorkerLostError: as `claim`.
    """
    reading, _ = _lock(job.reading_id, job.tries)
    reading.artifact_digest, reading.sha256, reading.size = digest, sha256, size
    reading.fingerprint, reading.progress = fingerprint, None
    reading.save()


def store_progress(job: ReadingJob, stage: str, done: int, total: int) -> None:
    """Keep how far a stage is, in bytes, for those who look."""
    progress = {"stage": stage, "done": done, "total": total}
    Reading.objects.filter(pk=job.reading_id, tries=job.tries).update(progress=progress)


@transaction.atomic
def store_verification(job: ReadingJob, report: Report, *, digests: str) -> None:
    """End the verification of every dataset that waits, by what stands in the report.

    Raises:
        StaleAttemptError, WorkerLostError: as `claim`.
    """
    reading, datasets = _lock(job.reading_id, job.tries)
    reading.rows_artifact_digest, reading.progress = digests, None
    reading.save(update_fields=["rows_artifact_digest", "progress"])
    columns = {column.header: column for column in job.spec.labels}
    for dataset in datasets:
        column = columns.get(dataset.label_header)
        if column is not None:
            _conclude_one(dataset, column, report, others=frozenset(columns) - {column.header})


def conclude(reading_id: str, tries: int, error: MopError) -> str:
    """End a failed try: a cause outside is tried again, at most MOP_RETRY_MAX times in 24 hours; others are the end.

    Faults of the platform do not count: they are the operator's to fix.

    Raises:
        StaleAttemptError, WorkerLostError: as `claim`.
    """
    told = about_a_dataset(error)
    with transaction.atomic():
        reading, datasets = _lock(reading_id, tries)
        if isinstance(error, PlatformFault):
            raise_alert(actor=WORKER, fault=error)
        if isinstance(error, OutsideFault) and (retry_at := _next_try(reading, error)):
            reading.tries += 1
            reading.host, reading.retry_at, reading.waits_for, reading.progress = "", retry_at, told.to_dict(), None
            reading.save()
            return WAITS_AGAIN
        reading.progress = None
        reading.save(update_fields=["progress"])
        for dataset in datasets:
            DATASET.advance(
                dataset.pk, to=DatasetStatus.VERIFY_FAILED, actor=WORKER, attempt=dataset.attempt, error=told
            )
    return DatasetStatus.VERIFY_FAILED.value


def _conclude_one(dataset: Dataset, column: LabelColumn, report: Report, *, others: frozenset[str]) -> None:
    faults = report.faults_of(column.header, others)
    facts: dict[str, Any] = {
        "rows": report.rows,
        "faults": [_kept(fault) for fault in faults],
        "warnings": [_kept(fault) for fault in report.warnings],
    }
    if faults:
        DATASET.advance(
            dataset.pk,
            to=DatasetStatus.VERIFY_FAILED,
            actor=WORKER,
            attempt=dataset.attempt,
            error=_error_of(faults),
            facts=facts,
        )
        return
    counts = report.label_counts.get(column.header, {})
    facts["labels"] = kept_labels(dataset, counts, BINARY_LABELS if _is_binary(dataset) else column.labels)
    facts["slices"] = {name: sorted(values) for name, values in report.slice_counts.items()}
    DATASET.advance(dataset.pk, to=DatasetStatus.VERIFIED, actor=WORKER, attempt=dataset.attempt, facts=facts)
    for binding in dataset.bindings.select_related("task", "dataset"):
        notify_requested(binding, actor=WORKER)


def _error_of(faults: tuple[Fault, ...]) -> DatasetFileError:
    """The error of a faulty file; it names kinds and columns, no rows: everybody sees it."""
    first, *others = [f"{fault.kind.title}{f' ({fault.column})' if fault.column else ''}" for fault in faults]
    kinds = "1 kind of fault" if len(faults) == 1 else f"{len(faults)} kinds of fault"
    return DatasetFileError(f"dataset.csv has {kinds}: {first}.", hint=faults[0].kind.hint, also=others[:19])


def _kept(fault: Fault) -> Mapping[str, Any]:
    return {
        "kind": fault.kind.name_in_report,
        "column": fault.column,
        "count": fault.count,
        "rows": list(fault.rows),
    }


def _is_binary(dataset: Dataset) -> bool:
    return dataset.label_type == LabelType.BINARY


def _column_of(dataset: Dataset) -> LabelColumn:
    tasks = list(Task.objects.filter(dataset_bindings__dataset=dataset).order_by("name"))
    return LabelColumn(
        header=dataset.label_header,
        label_type=Kind(dataset.label_type),
        labels=common_labels(dataset.label_type, tasks),
        size=dataset.label_size,
    )


def _living() -> QuerySet[Reading]:
    return Reading.objects.filter(datasets__status=DatasetStatus.CREATED).distinct()


def _lock(reading_id: str, tries: int) -> tuple[Reading, list[Dataset]]:
    """A reading and the datasets that wait for it, locked until the transaction ends.

    The datasets come first, as in every change of theirs.
    """
    hold_fence()
    waiting = Dataset.objects.select_for_update().filter(reading=uuid.UUID(reading_id), status=DatasetStatus.CREATED)
    datasets = list(waiting.order_by("pk"))
    reading = Reading.objects.select_for_update().filter(pk=reading_id).first()
    if reading is None or not datasets:
        raise StaleAttemptError(f"no dataset waits for reading {reading_id}")
    if reading.tries != tries:
        raise StaleAttemptError(f"reading {reading_id} is in try {reading.tries}, not {tries}")
    return reading, datasets


def _next_try(reading: Reading, error: OutsideFault) -> dt.datetime | None:
    """When the next try begins; None where this one was the last. Notes the try."""
    now = timezone.now()
    since = now - RETRY_WINDOW
    counted = [text for text in reading.failed_at if dt.datetime.fromisoformat(text) > since]
    if is_last_try(error, len(counted)):
        return None
    if not isinstance(error, PlatformFault):
        counted.append(now.isoformat())
    reading.failed_at = counted
    return now + pause_after(reading.tries - 1)
