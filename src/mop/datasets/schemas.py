"""What the API takes and gives about datasets. Nothing here has a field for what stands in a file."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import Description, InputSchema
from mop.catalog.schemas import ModalityName
from mop.datasets.models import HEADER_MAX, LANGUAGE_MAX, NAME_MAX, URL_MAX, Binding, Dataset
from mop.datasets.services import DATASETS_MAX
from mop.datasets.states import BindingState, DatasetStatus
from mop.errors import ErrorDocument

LabelTypeName = Literal["Binary", "Multi-label", "Ordinal"]
SortName = Literal["name", "-name", "team", "-team", "status", "-status", "created", "-created", "updated", "-updated"]
MEGABYTE = 1_000_000


class DatasetIn(InputSchema):
    """One label column, which makes one dataset."""

    label_header: str = Field(min_length=1, max_length=HEADER_MAX)
    name: str = Field(min_length=1, max_length=NAME_MAX)
    label_type: LabelTypeName
    label_size: int | None = Field(default=None, ge=2, le=20, description="Multi-label: how many different labels")
    tasks: list[str] = Field(default=[], max_length=100)
    description: Description = ""


class DatasetsIn(InputSchema):
    """A file and the datasets that it makes."""

    modality: ModalityName
    team: str | None = Field(default=None, description="one of the caller's teams; left out: their first")
    source_type: Literal["Blob"] = "Blob"
    url: str = Field(max_length=URL_MAX, description="of the folder that holds dataset.csv")
    language: str = Field(default="", max_length=LANGUAGE_MAX, description="a language tag; Text and ImageAndText")
    group_columns: list[str] = Field(default=[], max_length=20, description="their values become visible")
    language_column: str | None = Field(default=None, max_length=HEADER_MAX)
    datasets: list[DatasetIn] = Field(min_length=1, max_length=DATASETS_MAX)


class DatasetPatch(InputSchema):
    """What of a dataset can change; what is left out stays."""

    description: Description | None = None
    tasks: list[str] | None = Field(default=None, max_length=100, description="replaces the list of bound tasks")


class BindingOut(Schema):
    """A task that a dataset is connected to, and what its owner decided."""

    task: str
    state: BindingState
    requested_at: dt.datetime
    requested_by: str
    decided_at: dt.datetime | None
    decided_by: str
    comment: str

    @staticmethod
    def resolve_task(binding: Binding) -> str:
        """The task's name."""
        return binding.task.name

    @staticmethod
    def resolve_requested_by(binding: Binding) -> str:
        """Who asked."""
        return binding.requested_by_label

    @staticmethod
    def resolve_decided_by(binding: Binding) -> str:
        """Who decided; empty while nobody did."""
        return binding.decided_by_label


class LabelShare(Schema):
    """How often a label stands in the file; its name is empty until a connected task has it."""

    label: str
    count: int
    ratio: float


class FaultOut(Schema):
    """A kind of fault in one column. Rows are for owners of the dataset who are of its team; the header is row 1."""

    kind: str
    title: str
    hint: str
    column: str | None
    count: int
    rows: list[int]


class ProgressOut(Schema):
    """How far the reading or the verification is, in bytes."""

    stage: str
    done: int
    total: int


class DatasetOut(Schema):
    """The metadata of a dataset."""

    name: str
    description: str
    team: str
    owners: list[str]
    created_at: dt.datetime
    created_by: str
    modality: str
    source_type: str
    path: str
    label_header: str
    label_type: LabelTypeName
    label_size: int | None
    language: str
    group_columns: list[str]
    language_column: str
    status: DatasetStatus
    status_description: str
    status_changed_at: dt.datetime
    is_final: bool
    attempt: int
    error: ErrorDocument | None
    size_mb: float | None
    sample_number: int | None
    label_ratio: list[LabelShare]
    tasks: list[BindingOut]
    digest: str

    @staticmethod
    def resolve_team(dataset: Dataset) -> str:
        """The team's name."""
        return dataset.file.team.name

    @staticmethod
    def resolve_owners(dataset: Dataset) -> list[str]:
        """The owners' user names."""
        return sorted(owner.username for owner in dataset.owners.all())

    @staticmethod
    def resolve_created_by(dataset: Dataset) -> str:
        """The creator's user name."""
        return dataset.created_by.username

    @staticmethod
    def resolve_modality(dataset: Dataset) -> str:
        """The file's modality."""
        return dataset.file.modality

    @staticmethod
    def resolve_source_type(dataset: Dataset) -> str:
        """Where the file lies."""
        return dataset.file.source_type

    @staticmethod
    def resolve_language(dataset: Dataset) -> str:
        """The file's language."""
        return dataset.file.language

    @staticmethod
    def resolve_group_columns(dataset: Dataset) -> list[str]:
        """The file's group columns."""
        return list(dataset.file.group_columns)

    @staticmethod
    def resolve_language_column(dataset: Dataset) -> str:
        """The file's language column; empty where it has none."""
        return dataset.file.language_column

    @staticmethod
    def resolve_status_description(dataset: Dataset) -> str:
        """One sentence about the status."""
        return dataset.get_status().meaning

    @staticmethod
    def resolve_is_final(dataset: Dataset) -> bool:
        """Whether nothing more happens until somebody acts."""
        return dataset.get_status().is_final

    @staticmethod
    def resolve_size_mb(dataset: Dataset) -> float | None:
        """The file's size in MB of 1,000,000 bytes."""
        size = dataset.reading.size
        return None if size is None else round(size / MEGABYTE, 3)

    @staticmethod
    def resolve_sample_number(dataset: Dataset) -> int | None:
        """How many samples the file holds."""
        return dataset.rows

    @staticmethod
    def resolve_label_ratio(dataset: Dataset) -> list[dict[str, Any]]:
        """Its labels, most frequent first."""
        return dataset.label_ratio()

    @staticmethod
    def resolve_tasks(dataset: Dataset) -> list[Binding]:
        """Its bindings."""
        return list(dataset.bindings.all())

    @staticmethod
    def resolve_digest(dataset: Dataset) -> str:
        """A keyed digest of the file: equal files have equal ones, and no guess can be tested with it."""
        return dataset.reading.fingerprint


class DatasetPage(Schema):
    """Datasets in the asked order; `next` is the cursor of the page after, null on the last."""

    items: list[DatasetOut]
    next: str | None


class DatasetDetail(DatasetOut):
    """A dataset with its faults and what belongs to it."""

    related_datasets: list[str]
    slices: dict[str, list[str]]
    faults: list[FaultOut]
    warnings: list[FaultOut]
    progress: ProgressOut | None
    waits_for: ErrorDocument | None
    retry_at: dt.datetime | None


class SharedOut(Schema):
    """Another dataset of the task that has inputs in common with this one."""

    dataset: str
    rows: int


class RequestOut(Schema):
    """A dataset that is connected to a task, with what helps to decide."""

    dataset: str
    state: BindingState
    can_be_approved: bool
    status: DatasetStatus
    label_type: LabelTypeName
    modality: str
    language: str
    sample_number: int | None
    label_ratio: list[LabelShare]
    team: str
    requested_by: str
    requested_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    comment: str
    shared_rows: list[SharedOut]


class DecisionIn(InputSchema):
    """What the task's owner says beside the decision."""

    comment: str = Field(default="", max_length=2000)
