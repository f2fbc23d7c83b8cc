"""What the API takes and gives about taxonomies, tasks and instance types."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from mop.accounts.schemas import Description, InputSchema
from mop.catalog.models import LABELS_MAX, LABELS_MIN, InstanceType, Task

ModalityName = Literal["Text", "Image", "ImageAndText"]
LabelTypeName = Literal["Categorical", "Ordinal"]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class TaxonomyOut(Schema):
    """A category of harm or behaviour."""

    name: str
    description: str


class TaxonomyIn(InputSchema):
    """A taxonomy to define."""

    name: str = Field(min_length=1, max_length=64)
    description: Description = ""


class TaxonomyPatch(InputSchema):
    """What changes of a taxonomy; its name is in models' outputs and stays."""

    description: Description


class InstanceTypeOut(Schema):
    """A machine size that a model may ask for; a retired one is not offered any more."""

    name: str
    vcpus: int
    memory_gib: float
    gpus: int
    gpu_name: str
    is_offered: bool

    @staticmethod
    def resolve_is_offered(instance_type: InstanceType) -> bool:
        """Whether new versions may ask for it."""
        return instance_type.is_enabled


class InstanceTypePatch(InputSchema):
    """Whether new versions may ask for it; versions that have it keep it."""

    is_offered: bool


class InstanceTypeIn(InputSchema):
    """An instance type to define."""

    name: str = Field(min_length=1, max_length=64)
    vcpus: int = Field(ge=1, le=1024)
    memory_gib: float = Field(gt=0, le=65_536)
    gpus: int = Field(default=0, ge=0, le=64)
    gpu_name: str = Field(default="", max_length=64)


class TaskOut(Schema):
    """What a model resolves."""

    name: str
    description: str
    team: str
    owners: list[str]
    modality: ModalityName
    taxonomy: str
    label_type: LabelTypeName
    labels: list[str]
    created_at: dt.datetime
    created_by: str

    @staticmethod
    def resolve_team(task: Task) -> str:
        """The team's name."""
        return task.team.name

    @staticmethod
    def resolve_owners(task: Task) -> list[str]:
        """The owners' user names."""
        return sorted(owner.username for owner in task.owners.all())

    @staticmethod
    def resolve_taxonomy(task: Task) -> str:
        """The taxonomy's name."""
        return task.taxonomy.name

    @staticmethod
    def resolve_created_by(task: Task) -> str:
        """The creator's user name."""
        return task.created_by.username


class TaskIn(InputSchema):
    """A task to define; without owners its creator owns it."""

    name: str = Field(min_length=1, max_length=100)
    description: Description = ""
    team: str
    owners: list[str] = Field(default=[], max_length=100)
    modality: ModalityName
    taxonomy: str
    label_type: LabelTypeName
    labels: list[Label] = Field(min_length=LABELS_MIN, max_length=LABELS_MAX, description="ascending for Ordinal")


class TaskPatch(InputSchema):
    """What changes of a task; what is left out stays. The list of owners replaces the present one."""

    description: Description | None = None
    owners: list[str] | None = Field(default=None, min_length=1, max_length=100)


class TaskPage(Schema):
    """Tasks by name; `next` is the cursor of the page after, null on the last."""

    items: list[TaskOut]
    next: str | None
