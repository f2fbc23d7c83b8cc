"""Writes to datasets that people ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from mop.accounts.models import Team, User
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.datasets.actions import Action
from mop.datasets.advance import DATASET
from mop.datasets.bindings import ask_for, check_tasks, replace_tasks
from mop.datasets.models import Dataset, DatasetFile, LabelType, Reading, SourceType
from mop.datasets.notices import forget_dataset
from mop.datasets.reading.spec import DatasetSpec, LabelColumn, Modality
from mop.datasets.reading.spec import LabelType as Kind
from mop.datasets.readings import READING_JOB
from mop.datasets.sources import check_url, folder_url
from mop.datasets.states import DATASET_LIFECYCLE, DatasetStatus
from mop.datasets.wording import about_a_dataset
from mop.errors import ConflictError, MopError, ValidationFailedError, VerificationCancelledError

DATASETS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class FileInput:
    """What a contributor says of the file."""

    team: Team
    modality: str
    url: str
    source_type: str = SourceType.BLOB
    language: str = ""
    group_columns: Sequence[str] = ()
    language_column: str = ""


@dataclass(frozen=True, kw_only=True)
class DatasetInput:
    """What a contributor says of one label column."""

    label_header: str
    name: str
    label_type: str
    label_size: int | None = None
    tasks: Sequence[Task] = ()
    description: str = ""


@dataclass
class _Problems:
    fields: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, message: str) -> None:
        self.fields.setdefault(name, []).append(message)

    def raise_any(self) -> None:
        if self.fields:
            text = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in self.fields.items())
            raise ValidationFailedError(text, fields=self.fields)


@transaction.atomic
def create_datasets(*, actor: Actor, user: User, file: FileInput, datasets: Sequence[DatasetInput]) -> list[Dataset]:
    """Add the datasets of one file, owned by their creator, and start its reading.

    Raises:
        ValidationFailedError: a field breaks its rule; `fields` names those of a dataset as `datasets.0.name`.
    """
    problems = _Problems()
    row = _file_row(file, user)
    _check_file(row, problems)
    _check_datasets(row, datasets, problems)
    problems.raise_any()
    row.save()
    reading = Reading.objects.create(file=row)
    created = [_create(actor, user, row, reading, given, place) for place, given in enumerate(datasets)]
    READING_JOB.start(reading)
    return created


def check_file(*, user: User, file: FileInput) -> None:
    """Check what the first step of the form gives. Saves nothing and requests nothing.

    Raises:
        ValidationFailedError: a field breaks its rule.
    """
    problems = _Problems()
    _check_file(_file_row(file, user), problems)
    problems.raise_any()


@transaction.atomic
def change_dataset(
    *, actor: Actor, dataset: Dataset, description: str | None = None, tasks: Sequence[Task] | None = None
) -> None:
    """Change what can change later: description and bound tasks. None leaves a field as it is.

    The list of tasks replaces the bound ones. A task that stays keeps its decision, but for a rejected one, which is
    asked anew.

    Raises:
        ValidationFailedError: the dataset cannot be measured for a task.
        ConflictError: a task is added before the dataset is verified.
    """
    row = DATASET.lock(dataset.pk)
    if description is not None and description != row.description:
        row.description = description
        row.save(update_fields=["description"])
        _record(actor, Action.DATASET_DESCRIPTION_CHANGED, row)
    if tasks is not None:
        replace_tasks(actor=actor, dataset=row, tasks=tasks)


@transaction.atomic
def retry_dataset(*, actor: Actor, dataset: Dataset) -> None:
    """Read the url again and verify what stands there now.

    Raises:
        ConflictError: the dataset is not verifyFailed.
        ModelUrlForbiddenError: the team may no longer read the url.
    """
    row = DATASET.lock(dataset.pk)
    if row.get_status() not in DATASET_LIFECYCLE.restarts:
        raise ConflictError(
            f"{row} is {row.status}; only verifyFailed datasets can be read again.",
            hint="A verified dataset never changes; add a changed file under a new name.",
        )
    with _dataset_words():
        check_url(row.file.url, team=row.file.team)
    earlier = row.reading
    row.reading = Reading.objects.create(file=row.file)
    row.rows, row.faults, row.warnings, row.labels, row.slices = None, [], [], [], {}
    DATASET.restart(row, actor=actor, detail="retried")
    _remove_if_unused(earlier)
    READING_JOB.start(row.reading)


@transaction.atomic
def cancel_dataset(*, actor: Actor, dataset: Dataset) -> None:
    """Stop the verification of a dataset; those of the same file go on.

    Raises:
        ConflictError: nothing runs.
    """
    row = DATASET.lock(dataset.pk)
    if row.get_status().is_final:
        raise ConflictError(f"{row} is {row.status}; there is nothing to cancel.")
    error = VerificationCancelledError(f"{actor.label} cancelled the verification.")
    DATASET.move(row, DatasetStatus.VERIFY_FAILED, actor=actor, error=error)
    _stop_if_unwanted(row.reading)


@transaction.atomic
def set_outdated(*, actor: Actor, dataset: Dataset) -> None:
    """Set a dataset aside: nothing new is measured on it.

    Raises:
        ConflictError: it is being verified, or is outdated already.
    """
    row = DATASET.lock(dataset.pk)
    if DatasetStatus.OUTDATED not in DATASET_LIFECYCLE.transitions[row.get_status()]:
        raise ConflictError(
            f"{row} is {row.status}; only verified and verifyFailed datasets can be set aside.",
            hint="Cancel the verification first." if row.get_status().is_live else "",
        )
    DATASET.move(row, DatasetStatus.OUTDATED, actor=actor)


@transaction.atomic
def delete_dataset(*, actor: Actor, dataset: Dataset) -> None:
    """Remove a dataset with its bindings and results; stops what runs. Its rows go with the next garbage collection."""
    row = DATASET.lock(dataset.pk)
    reading, file = row.reading, row.file
    record(
        actor=actor,
        action=Action.DATASET_DELETED,
        object_type="dataset",
        object_id=row.pk,
        object_label=row.name,
        data={"status": row.status},
    )
    forget_dataset(row)
    row.delete()
    _stop_if_unwanted(reading)
    _remove_if_unused(reading)
    if not file.datasets.exists():
        file.delete()


def spec_of(file: DatasetFile, labels: Sequence[LabelColumn]) -> DatasetSpec:
    """What a file is verified against, with the installation's limits left at their defaults.

    Raises:
        ValueError: the columns contradict each other; the message says how.
    """
    return DatasetSpec(
        modality=Modality(file.modality),
        labels=tuple(labels),
        group_columns=tuple(file.group_columns),
        language_column=file.language_column or None,
    )


def _file_row(file: FileInput, user: User) -> DatasetFile:
    return DatasetFile(
        team=file.team,
        modality=file.modality,
        source_type=file.source_type,
        url=folder_url(file.url),
        language=file.language.strip(),
        group_columns=list(file.group_columns),
        language_column=file.language_column,
        created_by=user,
    )


def _check_file(row: DatasetFile, problems: _Problems) -> None:
    try:
        row.full_clean(exclude=("group_columns",))
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            for message in messages:
                problems.add(name, message)
        return
    if row.modality == Modality.IMAGE and row.language:
        problems.add("language", "Images have no language; leave it empty.")
    try:
        with _dataset_words():
            check_url(row.url, team=row.team)
    except MopError as error:
        problems.add("url", f"{error.message} {error.hint}".strip())
    try:
        spec_of(row, ())
    except ValueError as error:
        problems.add("group_columns", str(error))


def _check_datasets(file: DatasetFile, datasets: Sequence[DatasetInput], problems: _Problems) -> None:
    if not datasets:
        problems.add("datasets", "Name at least one label column.")
    if len(datasets) > DATASETS_MAX:
        problems.add("datasets", f"One file makes at most {DATASETS_MAX} datasets.")
    names = [given.name for given in datasets]
    headers = [given.label_header for given in datasets]
    for place, given in enumerate(datasets):
        where = f"datasets.{place}"
        _check_row(file, given, where, problems)
        if names.index(given.name) < place:
            problems.add(f"{where}.name", "Another dataset of this file has the same name.")
        if headers.index(given.label_header) < place:
            problems.add(f"{where}.label_header", "Another dataset of this file has the same label header.")
        if given.label_size is not None and given.label_type != LabelType.MULTI_LABEL:
            problems.add(f"{where}.label_size", "Only Multi-label datasets have a label size.")
        elif not {f"{where}.label_header", f"{where}.label_type"} & problems.fields.keys():
            _check_columns(file, given, where, problems)
        if given.label_type == LabelType.ORDINAL and not given.tasks:
            problems.add(f"{where}.tasks", "Connect the ordinal task whose levels the dataset uses.")
        for message in check_tasks(
            given.tasks, modality=file.modality, label_type=given.label_type, label_size=given.label_size
        ):
            problems.add(f"{where}.tasks", message)


def _check_row(file: DatasetFile, given: DatasetInput, where: str, problems: _Problems) -> None:
    row = Dataset(
        name=given.name,
        label_header=given.label_header,
        label_type=given.label_type,
        label_size=given.label_size,
        description=given.description,
        created_by=file.created_by,
    )
    try:
        row.full_clean(exclude=("file", "reading"), validate_constraints=False)
    except ValidationError as error:
        for name, faults in error.error_dict.items():
            for fault in faults:
                text = "This name is taken." if fault.code == "unique" else " ".join(fault.messages)
                problems.add(f"{where}.{name}", text)


def _check_columns(file: DatasetFile, given: DatasetInput, where: str, problems: _Problems) -> None:
    try:
        spec_of(file, [column_of(given.label_header, given.label_type, given.label_size)])
    except ValueError as error:
        problems.add(f"{where}.label_size" if "label size" in str(error) else f"{where}.label_header", str(error))


def column_of(
    header: str, label_type: str, label_size: int | None, labels: tuple[str, ...] | None = None
) -> LabelColumn:
    """A label column as the verification takes it."""
    return LabelColumn(header=header, label_type=Kind(label_type), labels=labels, size=label_size)


def _create(actor: Actor, user: User, file: DatasetFile, reading: Reading, given: DatasetInput, place: int) -> Dataset:
    dataset = Dataset(
        name=given.name,
        description=given.description,
        file=file,
        reading=reading,
        label_header=given.label_header,
        label_type=given.label_type,
        label_size=given.label_size,
        created_by=user,
    )
    with _unless_taken(f"datasets.{place}.name"):
        DATASET.begin(dataset, actor=actor)
    dataset.owners.add(user)
    _record(
        actor,
        Action.DATASET_ADDED,
        dataset,
        {
            "url": file.url,
            "team": file.team.name,
            "label_header": dataset.label_header,
            "tasks": [task.name for task in given.tasks],
        },
    )
    for task in given.tasks:
        ask_for(actor=actor, dataset=dataset, task=task)
    return dataset


def _stop_if_unwanted(reading: Reading) -> None:
    if not reading.datasets.filter(status=DatasetStatus.CREATED).exists():
        READING_JOB.stop(reading)


def _remove_if_unused(reading: Reading) -> None:
    if not reading.datasets.exists():
        READING_JOB.stop(reading)
        reading.delete()


def _record(actor: Actor, action: Action, dataset: Dataset, data: dict[str, object] | None = None) -> None:
    record(
        actor=actor,
        action=action,
        object_type="dataset",
        object_id=dataset.pk,
        object_label=dataset.name,
        data=data,
    )


@contextmanager
def _dataset_words() -> Iterator[None]:
    try:
        yield
    except MopError as error:
        raise about_a_dataset(error) from error


@contextmanager
def _unless_taken(name: str) -> Iterator[None]:
    """A name that was free when the form was checked and is taken now."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        message = "This name was taken a moment ago."
        raise ValidationFailedError(f"{name}: {message}", fields={name: [message]}) from error
