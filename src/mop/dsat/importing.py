"""Importing a file: its parts are kept in the database until every row became a case or a fault, once.

The rows of a chunk and the place of the next one are written in one transaction, so a killed worker loses and repeats
nothing. A file that is sent again adds nothing: a case remembers the keyed digest of its file and its row.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from mop import failpoints
from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.datasets.keyed import keyed_digest
from mop.dsat.actions import Action
from mop.dsat.advance import IMPORT
from mop.dsat.area import IMPORT_FILE
from mop.dsat.models import Case, CaseContent, CaseTerm, Import, ImportPart
from mop.dsat.rows import PART_BYTES, Chunk, Lines, Place, begin_csv, read_chunk
from mop.dsat.states import ImportState
from mop.dsat.store import Prepared, prepare, store
from mop.engine.bulk import renew_statistics
from mop.engine.job import Job
from mop.engine.watch import Run
from mop.errors import ConflictError, MopError, NotFoundError, StaleAttemptError, ValidationFailedError

CHUNK_ROWS, CHUNK_BYTES = 2_000, 8 << 20
FAULTS_MAX = 1_000
FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
UPLOAD_HOURS = 24
_TRIES = 3
WORKER = Actor.system("worker")


def waiting_imports(before: dt.datetime) -> QuerySet[Import]:
    """Imports that wait for a worker since before a moment: their enqueue may have been lost."""
    return Import.objects.filter(state=ImportState.QUEUED, host="", state_changed_at__lt=before)


IMPORT_JOB: Job[Import] = Job(
    workflow=IMPORT_FILE.name,
    workflow_id=lambda row: f"dsat-import:{row.pk}",
    queue=lambda _row: IMPORT_FILE.queue.name,
    args=lambda row: (str(row.pk),),
    waiting=waiting_imports,
    release=IMPORT.release,
)


def import_file(
    *,
    actor: Actor,
    user: User,
    task: Task,
    file_name: str,
    data: bytes,
    service: str = "",
    is_restricted: bool = False,
) -> Import:
    """Import a file that is here as a whole.

    Raises:
        ValidationFailedError: its name, size or header cannot be used.
    """
    with transaction.atomic():
        row = begin_import(
            actor=actor,
            user=user,
            task=task,
            file_name=file_name,
            size=len(data),
            service=service,
            is_restricted=is_restricted,
        )
        for number in range(-(-len(data) // PART_BYTES)):
            put_part(row=row, number=number, data=data[number * PART_BYTES : (number + 1) * PART_BYTES])
        start_import(actor=actor, row=row)
    return row


@transaction.atomic
def begin_import(
    *,
    actor: Actor,
    user: User,
    task: Task,
    file_name: str,
    size: int,
    service: str = "",
    is_restricted: bool = False,
) -> Import:
    """Announce a file, whose parts follow.

    Raises:
        ValidationFailedError: its name or size cannot be used.
    """
    suffix = next((ending for ending in FORMATS if file_name.lower().endswith(ending)), None)
    problem = ""
    if suffix is None:
        problem = f"The name of the file must end with {', '.join(FORMATS)}."
    elif not 0 < size <= settings.MOP_DSAT_IMPORT_BYTES_MAX:
        problem = f"The file has {size:,} bytes; 1 to {settings.MOP_DSAT_IMPORT_BYTES_MAX:,} are possible."
    if suffix is None or problem:
        raise ValidationFailedError(f"file: {problem}", fields={"file": [problem]})
    row = Import(
        task=task,
        submitter=user,
        service=service,
        is_restricted=is_restricted,
        file_name=file_name[-255:],
        format=FORMATS[suffix],
        size=size,
    )
    IMPORT.begin(row, actor=actor)
    return row


@transaction.atomic
def put_part(*, row: Import, number: int, data: bytes) -> None:
    """Keep a part; sent again, it replaces the one that stands there.

    Raises:
        ConflictError: the import has begun.
        ValidationFailedError: the part has not the size that its place asks for.
    """
    row = IMPORT.lock(row.pk)
    if row.get_state() is not ImportState.UPLOADING:
        raise ConflictError(f"The {row} is {row.state}; it takes no part any more.")
    wanted = min(PART_BYTES, row.size - number * PART_BYTES)
    if number < 0 or len(data) != wanted or wanted <= 0:
        message = f"Part {number} of this file has {max(0, wanted):,} bytes, not {len(data):,}."
        raise ValidationFailedError(f"part: {message}", fields={"part": [message]})
    ImportPart.objects.update_or_create(of=row, number=number, defaults={"data": data})


@transaction.atomic
def start_import(*, actor: Actor, row: Import) -> Import:
    """Check the header, and let a worker begin.

    Raises:
        ConflictError: the import has begun, or parts are missing.
        ValidationFailedError: the header cannot be used.
    """
    row = IMPORT.lock(row.pk)
    if row.get_state() is not ImportState.UPLOADING:
        raise ConflictError(f"The {row} is {row.state} already.")
    parts = -(-row.size // PART_BYTES)
    if row.parts.count() != parts:
        raise ConflictError(f"{row.parts.count()} of {parts} parts are here.", hint="Send the others, then start.")
    digest = hashlib.sha256()
    for number in range(parts):
        digest.update(_part(row, number))
    row.source = keyed_digest("dsat import", f"{row.task_id}:{row.submitter_id}:{digest.hexdigest()}")
    place = begin_csv(row.task, _lines(row, 0)) if row.format == "csv" else Place()
    row.position = place.to_dict()
    IMPORT.move(row, ImportState.QUEUED, actor=actor)
    IMPORT_JOB.start(row)
    return row


@transaction.atomic
def claim(import_id: str, host: str) -> Import:
    """Take an import for a host.

    Raises:
        StaleAttemptError: it is over.
    """
    row = IMPORT.claim(Run(import_id), host=host)
    if row.get_state() is ImportState.QUEUED:
        IMPORT.move(row, ImportState.RUNNING, actor=WORKER)
    return row


class ReadAhead:
    """What finds the cases of the next chunk, computed in a thread beside while the database takes this one.

    Use it as a context manager, for one import.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dsat-import")
        self._next: tuple[Place, Chunk, Future[list[Prepared]]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def begin(self, place: Place, chunk: Chunk) -> None:
        """Compute for a chunk that begins at a place."""
        self._next = (place, chunk, self._pool.submit(_prepared, chunk))

    def take(self, place: Place) -> tuple[Chunk, list[Prepared]] | None:
        """The chunk that begins at a place; None where another one was computed, or none."""
        found, self._next = self._next, None
        return (found[1], found[2].result()) if found is not None and found[0] == place else None


def import_chunk(import_id: str, ahead: ReadAhead) -> bool:
    """Add the next rows; True when they were the last.

    Raises:
        StaleAttemptError: the import is over.
    """
    row = Import.objects.select_related("task", "submitter").filter(pk=import_id).first()
    if row is None or row.get_state() is not ImportState.RUNNING:
        raise StaleAttemptError(f"import {import_id} is over")
    place = Place.from_dict(row.position or {})
    chunk, prepared = ahead.take(place) or _read(row, place)
    if not chunk.is_last:
        ahead.begin(chunk.after, _rows_from(row, chunk.after))
    for _ in range(_TRIES):
        try:
            _store_chunk(row, chunk, prepared)
        except IntegrityError:  # the same file is imported twice at once, and the other was first
            continue
        if chunk.is_last and row.rows + chunk.read > CHUNK_ROWS:
            renew_statistics(Case, CaseContent, CaseTerm)
        return chunk.is_last
    raise ConflictError("The same file is imported at the same time.", hint="Wait for the other import.")


def _read(row: Import, place: Place) -> tuple[Chunk, list[Prepared]]:
    chunk = _rows_from(row, place)
    return chunk, _prepared(chunk)


def _rows_from(row: Import, place: Place) -> Chunk:
    return read_chunk(
        row.task,
        _lines(row, place.offset),
        place,
        is_csv=row.format == "csv",
        rows=CHUNK_ROWS,
        size=CHUNK_BYTES,
    )


def _prepared(chunk: Chunk) -> list[Prepared]:
    return prepare([new for _, new in chunk.rows])


@transaction.atomic
def _store_chunk(row: Import, chunk: Chunk, prepared: Sequence[Prepared]) -> None:
    locked = IMPORT.lock(row.pk)
    if locked.get_state() is not ImportState.RUNNING or locked.position != row.position:
        raise StaleAttemptError(f"import {row.pk} went on elsewhere")
    known = _known_rows(row.source, [number for number, _ in chunk.rows])
    rows = [
        (one, {"source_row": number, "service": new.fields["service"] or row.service})
        for (number, new), one in zip(chunk.rows, prepared, strict=True)
        if number not in known
    ]
    shared = {"task": row.task, "submitter": row.submitter, "source": row.source, "is_restricted": row.is_restricted}
    store(rows, shared)
    failpoints.hit("before dsat chunk")
    _note(locked, chunk, known=len(known))
    transaction.on_commit(functools.partial(failpoints.hit, "after dsat chunk"))


def fail_import(import_id: str, error: MopError) -> str:
    """Note why an import ended early."""
    with transaction.atomic():
        row = IMPORT.lock(import_id)
        IMPORT.move(row, ImportState.FAILED, actor=WORKER, error=error)
        row.parts.all().delete()
    return ImportState.FAILED.value


@transaction.atomic
def cancel_import(*, actor: Actor, row: Import) -> Import:
    """End an import; cases that it made stay.

    Raises:
        ConflictError: it is over.
    """
    row = IMPORT.lock(row.pk)
    if row.get_state().is_final:
        raise ConflictError(f"The {row} is {row.state}; there is nothing to cancel.")
    IMPORT.move(row, ImportState.CANCELLED, actor=actor)
    row.parts.all().delete()
    IMPORT_JOB.stop(row)
    return row


@transaction.atomic
def delete_import(*, actor: Actor, row: Import) -> None:
    """Delete an import with its report and what is left of its file; cases that it made stay."""
    row = IMPORT.lock(row.pk)
    record(
        actor=actor,
        action=Action.IMPORT_DELETED,
        object_type="dsat import",
        object_id=row.pk,
        object_label=str(row),
        data={"task": row.task.name, "added": row.added},
    )
    IMPORT_JOB.stop(row)
    row.delete()


def get_import(user: User, import_id: uuid.UUID | str) -> Import:
    """An import of this person's; nobody else sees it.

    Raises:
        NotFoundError: there is none.
    """
    row = Import.objects.select_related("task", "submitter").filter(pk=import_id, submitter=user).first()
    if row is None:
        raise NotFoundError(f"There is no import {import_id}.")
    return row


def imports_of(user: User) -> QuerySet[Import]:
    """A person's imports, newest first."""
    return Import.objects.filter(submitter=user).select_related("task").order_by("-created_at")


def forget_uploads() -> int:
    """Delete imports whose parts never came."""
    before = timezone.now() - dt.timedelta(hours=UPLOAD_HOURS)
    deleted, _ = Import.objects.filter(state=ImportState.UPLOADING, created_at__lt=before).delete()
    return deleted


def _note(row: Import, chunk: Chunk, *, known: int) -> None:
    row.position = chunk.after.to_dict()
    row.done_bytes = min(chunk.after.offset, row.size)
    row.rows += chunk.read
    row.known += known
    row.added += len(chunk.rows) - known
    row.refused += chunk.refused
    room = FAULTS_MAX - len(row.faults)
    row.faults = [*row.faults, *(dataclasses.asdict(fault) for fault in chunk.faults[:room])]
    if not chunk.is_last:
        row.save()
        return
    row.done_bytes = row.size
    IMPORT.move(row, ImportState.FINISHED, actor=WORKER)
    row.parts.all().delete()


def _known_rows(source: str, numbers: Iterable[int]) -> set[int]:
    """Rows of this file that are cases already."""
    numbers = list(numbers)
    if not numbers:
        return set()
    cases = Case.objects.filter(source=source, source_row__range=(numbers[0], numbers[-1]))
    return {row for row in cases.values_list("source_row", flat=True) if row is not None}


def _lines(row: Import, offset: int) -> Lines:
    return Lines(lambda number: _part(row, number), offset)


def _part(row: Import, number: int) -> bytes:
    data = ImportPart.objects.filter(of=row, number=number).values_list("data", flat=True).first()
    return bytes(data or b"")
