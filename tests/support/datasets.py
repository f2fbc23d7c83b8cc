"""Datasets that tests need: folders, rows in the database, and the real steps of their reading, in this process."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

from asgiref.sync import async_to_sync
from django.conf import settings

from mop.accounts.models import Team, User
from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.datasets.models import Dataset, Reading
from mop.datasets.reading import Report
from mop.datasets.readings import claim, store_snapshot, store_verification
from mop.datasets.services import DatasetInput, FileInput, create_datasets
from mop.engine.steps import Outcome
from support.factories import make_user

_numbers = itertools.count(1)


def text_file(rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "hate")) -> bytes:
    """The bytes of a dataset.csv."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue().encode()


def binary_rows(count: int = 120, word: str = "sample") -> list[list[str]]:
    """Rows of a Text dataset with the labels 0 and 1."""
    return [[f"{word} number {number} of this file", str(number % 2)] for number in range(count)]


def dataset_folder(content: bytes | None = None) -> Path:
    """A new folder below the allowed root with a dataset.csv."""
    folder: Path = settings.MOP_FILE_ROOTS[0] / f"dataset-{next(_numbers)}"
    folder.mkdir(parents=True)
    (folder / "dataset.csv").write_bytes(text_file(binary_rows()) if content is None else content)
    return folder


def make_datasets(
    *given: DatasetInput,
    owner: User | None = None,
    team: Team | None = None,
    folder: Path | None = None,
    **file: object,
) -> list[Dataset]:
    """Datasets of one file in `created`; a Binary one of the column `hate` unless told."""
    user = owner or make_user()
    return create_datasets(
        actor=actor_of(user),
        user=user,
        file=FileInput(
            **{
                "team": team or user.teams.order_by("is_personal", "name").first(),
                "modality": "Text",
                "url": (folder or dataset_folder()).as_uri(),
                **file,
            }
        ),
        datasets=given or [dataset_input()],
    )


def dataset_input(name: str = "", tasks: Sequence[Task] = (), **fields: object) -> DatasetInput:
    """A Binary dataset of the column `hate`."""
    return DatasetInput(
        **{
            "label_header": "hate",
            "name": name or f"dataset-{next(_numbers)}",
            "label_type": "Binary",
            "tasks": tasks,
            **fields,
        }
    )


def read(dataset: Dataset) -> Dataset:
    """Do what a worker does for the dataset's reading, to its end; gives the dataset as it stands then."""
    dataset.refresh_from_db()
    reading = dataset.reading
    async_to_sync(_steps)(str(reading.pk), reading.tries)
    dataset.refresh_from_db()
    return dataset


async def _steps(reading_id: str, tries: int) -> str:
    from mop.datasets import workflows  # noqa: PLC0415 - the engine, which who reads nothing does without

    outcome: Outcome = None
    for step in (workflows.fetch_step, workflows.verify_step, workflows.compare_step):
        outcome = await step(reading_id, tries)
        if outcome is not None:
            return await workflows.conclude_step(reading_id, tries, outcome)
    return "done"


def settled(dataset: Dataset, report: Report) -> Dataset:
    """Let a dataset end as a report says, without reading a file."""
    reading = Reading.objects.get(pk=dataset.reading_id)
    job = claim(str(reading.pk), reading.tries, "worker-1")
    store_snapshot(job, digest="ab" * 32, sha256="cd" * 32, size=report.size, fingerprint="ef" * 32)
    store_verification(job, report, digests="")
    dataset.refresh_from_db()
    return dataset
