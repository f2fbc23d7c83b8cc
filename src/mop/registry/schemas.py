"""What the API takes and gives about models and revisions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

from ninja import Schema
from pydantic import Field, create_model

from mop.accounts.schemas import Description, InputSchema
from mop.errors import ErrorDocument
from mop.registry.group_models import GROUP_NAME_MAX, GroupShare, ModelGroup
from mop.registry.listing import ListedModel
from mop.registry.models import CARD_TEXT_MAX, CUSTOMIZED_NAME_MAX, MODEL_URL_MAX, VERSION_MAX, Revision, TaskConnection
from mop.registry.selectors import queue_place
from mop.registry.statuses import RevisionStatus
from mop.serving_options import OPTIONS, Option

PublishName = Literal["private", "public"]
SortName = Literal["name", "-name", "team", "-team", "status", "-status", "created", "-created", "updated", "-updated"]


SchemaClass = TypeVar("SchemaClass", bound=Schema)


def may_give_options(schema: type[SchemaClass]) -> type[SchemaClass]:
    """A schema with every serving option behind its own fields; null means left out."""
    return _extended(schema, {name: (_kind(option) | None, _limits(option)) for name, option in OPTIONS.items()})


def tells_options(schema: type[SchemaClass]) -> type[SchemaClass]:
    """A schema with the value of every serving option behind its own fields."""
    return _extended(schema, {name: (_kind(option), ...) for name, option in OPTIONS.items()})


def _extended(schema: type[SchemaClass], fields: dict[str, Any]) -> type[SchemaClass]:
    return create_model(
        schema.__name__, __base__=schema, __module__=schema.__module__, __doc__=schema.__doc__, **fields
    )


def _kind(option: Option) -> Any:
    return Literal[option.words] if option.words else option.type


def _limits(option: Option) -> Any:
    about = option.about
    return Field(default=None, ge=about.minimum, le=about.maximum, description=about.help)


class ConnectionOut(Schema):
    """A connected task, and the name that the model's output gives its taxonomy."""

    task: str
    taxonomy: str
    customized_name: str

    @staticmethod
    def resolve_task(connection: TaskConnection) -> str:
        """The task's name."""
        return connection.task.name

    @staticmethod
    def resolve_taxonomy(connection: TaskConnection) -> str:
        """The taxonomy's name."""
        return connection.taxonomy.name


class ConnectionIn(InputSchema):
    """A task to connect; without a customized name the output uses the taxonomy's."""

    task: str
    customized_name: str | None = Field(default=None, min_length=1, max_length=CUSTOMIZED_NAME_MAX)


class ModelFilter(Schema):
    """What of the models is asked for."""

    search: str = Field(default="", max_length=200, description="part of the name or description")
    status: RevisionStatus | Literal["", "running", "all"] = Field(
        default="",
        description="of the newest version; `running`, `all`; empty: models with a version neither outdated nor failed",
    )
    owned: bool = Field(default=False, description="only models that the caller created or owns; as `group=mine`")
    group: str = Field(default="", max_length=20, description="id of a group, or `mine`")
    team: str = Field(default="", max_length=100, description="a team's name")
    task: str = Field(default="", max_length=100, description="a task's name")
    tag: str = Field(default="", max_length=50, description="a tag")
    sort: SortName = "name"


class ModelOut(Schema):
    """A model, with its newest version that the caller may see, and the newest of them that is verified."""

    name: str
    description: str
    intended_use: str
    limits: str
    tags: list[str]
    team: str
    owners: list[str]
    model_type: str
    connections: list[ConnectionOut]
    latest_version: str
    latest_status: RevisionStatus
    usable_version: str | None
    usable_publish_status: PublishName | None
    updated_at: dt.datetime
    created_at: dt.datetime
    created_by: str

    @staticmethod
    def resolve_name(row: ListedModel) -> str:
        """The model's name."""
        return row.model.name

    @staticmethod
    def resolve_description(row: ListedModel) -> str:
        """The model's description."""
        return row.model.description

    @staticmethod
    def resolve_intended_use(row: ListedModel) -> str:
        """What the model is for."""
        return row.model.intended_use

    @staticmethod
    def resolve_limits(row: ListedModel) -> str:
        """What it is not for."""
        return row.model.limits

    @staticmethod
    def resolve_tags(row: ListedModel) -> list[str]:
        """The model's tags."""
        return sorted((tag.name for tag in row.model.tags.all()), key=str.casefold)

    @staticmethod
    def resolve_team(row: ListedModel) -> str:
        """The team's name."""
        return row.model.team.name

    @staticmethod
    def resolve_owners(row: ListedModel) -> list[str]:
        """The owners' user names."""
        return sorted(owner.username for owner in row.model.owners.all())

    @staticmethod
    def resolve_model_type(row: ListedModel) -> str:
        """Where its folder lies."""
        return row.model.model_type

    @staticmethod
    def resolve_connections(row: ListedModel) -> Iterable[TaskConnection]:
        """Its connected tasks."""
        return row.model.connections.all()

    @staticmethod
    def resolve_latest_version(row: ListedModel) -> str:
        """The newest version that the caller sees."""
        return row.newest_version

    @staticmethod
    def resolve_latest_status(row: ListedModel) -> RevisionStatus:
        """Its status."""
        return row.newest_status

    @staticmethod
    def resolve_usable_version(row: ListedModel) -> str | None:
        """The newest verified version that the caller sees."""
        return row.usable_version or None

    @staticmethod
    def resolve_usable_publish_status(row: ListedModel) -> str | None:
        """Whether that one is public."""
        return row.usable_publish_status or None

    @staticmethod
    def resolve_created_at(row: ListedModel) -> dt.datetime:
        """When the model was added."""
        return row.model.created_at

    @staticmethod
    def resolve_created_by(row: ListedModel) -> str:
        """The creator's user name."""
        return row.model.created_by.username


class ModelPage(Schema):
    """Models in the asked order; `next` is the cursor of the page after, null on the last."""

    items: list[ModelOut]
    next: str | None


@may_give_options
class RevisionFields(InputSchema):
    """The fields of a version; what is left out is defaulted."""

    version: str | None = Field(default=None, max_length=VERSION_MAX)
    note: Description | None = None
    sample_post_data: Any = Field(default=None, description="an item of inference(); empty: MOP's own inputs")
    instance_type: str | None = None


class ModelIn(RevisionFields):
    """A model with its first version: a url and a task suffice."""

    name: str | None = Field(default=None, max_length=100)
    description: Description = ""
    intended_use: str = Field(default="", max_length=CARD_TEXT_MAX, description="for the model card")
    limits: str = Field(default="", max_length=CARD_TEXT_MAX, description="what it is not for; for the model card")
    team: str | None = Field(default=None, description="one of the caller's teams; left out: their first")
    connections: list[ConnectionIn] = Field(min_length=1, max_length=100)
    model_url: str = Field(max_length=MODEL_URL_MAX)


class RevisionIn(RevisionFields):
    """A further version; what is left out is the newest version's, the version itself the recommended one."""

    model_url: str | None = Field(default=None, max_length=MODEL_URL_MAX)


class ModelPatch(InputSchema):
    """What of a model can change; what is left out stays."""

    description: Description | None = None
    intended_use: str | None = Field(default=None, max_length=CARD_TEXT_MAX)
    limits: str | None = Field(default=None, max_length=CARD_TEXT_MAX)
    tags: list[Annotated[str, Field(max_length=200)]] | None = Field(
        default=None, max_length=100, description="all of them: what is not named goes"
    )


class RevisionPatch(InputSchema):
    """What of a version can change."""

    note: Description


class AllowedHosts(InputSchema):
    """The hosts that a version's model may reach, each `host` or `host:port`; none: it has no network."""

    hosts: list[str] = Field(max_length=100)


@tells_options
class RevisionAsked(Schema):
    """A version as it was asked for."""

    id: uuid.UUID
    model: str
    version: str
    note: str
    model_url: str
    sample_post_data: Any
    instance_type: str


class RevisionOut(RevisionAsked):
    """A version of a model."""

    status: RevisionStatus
    status_changed_at: dt.datetime
    is_final: bool
    publish_status: PublishName
    attempt: int
    retry_at: dt.datetime | None
    error: ErrorDocument | None
    warnings: list[Any]
    artifact_digest: str
    artifact_files: int | None
    artifact_bytes: int | None
    environment_key: str
    python_version: str
    pip_version: str
    granted: dict[str, Any]
    created_at: dt.datetime
    created_by: str

    @staticmethod
    def resolve_model(revision: Revision) -> str:
        """The model's name."""
        return revision.model.name

    @staticmethod
    def resolve_instance_type(revision: Revision) -> str:
        """The instance type's name."""
        return revision.instance_type.name

    @staticmethod
    def resolve_is_final(revision: Revision) -> bool:
        """Whether the pipeline is done with it until somebody acts."""
        return revision.get_status().is_final

    @staticmethod
    def resolve_created_by(revision: Revision) -> str:
        """The creator's user name."""
        return revision.created_by.username


class RevisionPage(Schema):
    """Versions, newest first; `next` is the cursor of the page after, null on the last."""

    items: list[RevisionOut]
    next: str | None


class QueueOut(Schema):
    """Where a waiting revision stands: its place from 1, of how many, for which instance type."""

    place: int
    waiting: int
    instance_type: str


class RevisionDetail(RevisionOut):
    """A version, with its place in the queue while it waits for a host."""

    queue: QueueOut | None

    @staticmethod
    def resolve_queue(revision: Revision) -> dict[str, Any] | None:
        """Its place, by two queries."""
        place = queue_place(revision)
        return None if place is None else dataclasses.asdict(place)


class EventOut(Schema):
    """A status that a revision entered; `seconds` counts on for the one it is in, and is null for the end."""

    id: int
    attempt: int
    status: RevisionStatus
    at: dt.datetime
    seconds: float | None
    actor: str
    detail: str
    is_current: bool


class Timeline(Schema):
    """Every status after the asked event, oldest first, and where the revision stands now."""

    status: RevisionStatus
    is_final: bool
    items: list[EventOut]


class ShareOut(Schema):
    """A user or a team who is shown a group."""

    id: int
    username: str | None
    team: str | None

    @staticmethod
    def resolve_username(share: GroupShare) -> str | None:
        """The user's name, where it is a user."""
        return share.user.username if share.user else None

    @staticmethod
    def resolve_team(share: GroupShare) -> str | None:
        """The team's name, where it is a team."""
        return share.team.name if share.team else None


class GroupOut(Schema):
    """A group of models; `model_count` counts those that the caller may see, `is_listed` tells of their own list."""

    id: int
    name: str
    owner: str
    model_count: int
    is_listed: bool
    shares: list[ShareOut]
    created_at: dt.datetime

    @staticmethod
    def resolve_owner(group: ModelGroup) -> str:
        """The user name of who made it."""
        return group.owner.username

    @staticmethod
    def resolve_shares(group: ModelGroup) -> Iterable[GroupShare]:
        """Who else is shown it."""
        return group.shares.all()


class GroupList(Schema):
    """Groups by name."""

    items: list[GroupOut]


class GroupIn(InputSchema):
    """A new group."""

    name: str = Field(max_length=GROUP_NAME_MAX)


class GroupPatch(InputSchema):
    """What of a group can change; what is left out stays."""

    name: str | None = Field(default=None, max_length=GROUP_NAME_MAX)
    is_listed: bool | None = None


class ShareIn(InputSchema):
    """A user or a team to show a group to."""

    username: str | None = Field(default=None, max_length=150)
    team: str | None = Field(default=None, max_length=100)
