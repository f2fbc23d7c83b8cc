"""What the API answers, as types. Times are ISO 8601 texts; the API's page /api/v1/docs tells what fields mean.

A server of a later release may answer with further fields.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Me(TypedDict):
    """The caller."""

    username: str
    is_administrator: bool
    teams: list[str]
    scopes: list[str]


class Team(TypedDict):
    """A team, and whether the caller belongs to it."""

    name: str
    description: str
    is_personal: bool
    is_member: bool
    created_at: str


class Taxonomy(TypedDict):
    """A category of harm or behaviour."""

    name: str
    description: str


class InstanceType(TypedDict):
    """A machine size that a model may ask for."""

    name: str
    vcpus: int
    memory_gib: float
    gpus: int
    gpu_name: str
    is_offered: bool


class Task(TypedDict):
    """What a model resolves."""

    name: str
    description: str
    team: str
    owners: list[str]
    modality: str
    taxonomy: str
    label_type: str
    labels: list[str]
    created_at: str
    created_by: str


class Connection(TypedDict):
    """A connected task, and the name that the model's output gives its taxonomy."""

    task: str
    taxonomy: str
    customized_name: str


class Model(TypedDict):
    """A model, with its newest version that the caller may see, and the newest of them that is verified."""

    name: str
    description: str
    intended_use: str
    limits: str
    tags: list[str]
    team: str
    owners: list[str]
    model_type: str
    connections: list[Connection]
    latest_version: str
    latest_status: str
    usable_version: str | None
    usable_publish_status: str | None
    updated_at: str
    created_at: str
    created_by: str


class Queue(TypedDict):
    """Where a waiting revision stands: its place from 1, of how many, for which instance type."""

    place: int
    waiting: int
    instance_type: str


class ErrorDocument(TypedDict):
    """Why something failed: the catalogue's name, what was seen, what to do. The JSON form of a MopError as a type."""

    name: str
    message: str
    hint: str
    place: str | None
    also: list[str]


class RevisionRow(TypedDict):
    """A version of a model, as lists show it."""

    id: str
    model: str
    version: str
    note: str
    model_url: str
    sample_post_data: Any
    instance_type: str
    server: str
    worker_number: int
    thread_number: int
    batch_enabled: bool
    batch_max_size: int
    batch_idle_size: int
    batch_max_interval: float
    regression_enabled: bool
    load_test_option: str
    status: str
    status_changed_at: str
    is_final: bool
    publish_status: str
    attempt: int
    retry_at: str | None
    error: ErrorDocument | None
    warnings: list[Any]
    artifact_digest: str
    artifact_files: int | None
    artifact_bytes: int | None
    environment_key: str
    python_version: str
    pip_version: str
    granted: dict[str, Any]
    created_at: str
    created_by: str


class Revision(RevisionRow):
    """A version, with its place in the queue while it waits for a host."""

    queue: Queue | None


class Event(TypedDict):
    """A status that a revision entered; `seconds` counts on for the one it is in, and is null for the end."""

    id: int
    attempt: int
    status: str
    at: str
    seconds: float | None
    actor: str
    detail: str
    is_current: bool


class Timeline(TypedDict):
    """Every status after the asked event, oldest first, and where the revision stands now."""

    status: str
    is_final: bool
    items: list[Event]


class LogLine(TypedDict):
    """One line of a log, numbered from 1."""

    number: int
    at: str
    text: str


class LogPage(TypedDict):
    """Lines in order; `next` is the cursor of the page after, null when no more was written by now."""

    items: list[LogLine]
    total: int
    next: str | None
    last: int


class Share(TypedDict):
    """A user or a team who is shown a group."""

    id: int
    username: str | None
    team: str | None


class Group(TypedDict):
    """A group of models; `model_count` counts those that the caller may see, `is_listed` tells of their own list."""

    id: int
    name: str
    owner: str
    model_count: int
    is_listed: bool
    shares: list[Share]
    created_at: str


class LabelShare(TypedDict):
    """How often a label stands in the file; its name is empty until a connected task has it."""

    label: str
    count: int
    ratio: float


class Binding(TypedDict):
    """A task that a dataset is connected to, and what its owner decided."""

    task: str
    state: str
    requested_at: str
    requested_by: str
    decided_at: str | None
    decided_by: str
    comment: str


class DatasetRow(TypedDict):
    """The metadata of a dataset, as lists show it."""

    name: str
    description: str
    team: str
    owners: list[str]
    created_at: str
    created_by: str
    modality: str
    source_type: str
    path: str
    label_header: str
    label_type: str
    label_size: int | None
    language: str
    group_columns: list[str]
    language_column: str
    status: str
    status_description: str
    status_changed_at: str
    is_final: bool
    attempt: int
    error: ErrorDocument | None
    size_mb: float | None
    sample_number: int | None
    label_ratio: list[LabelShare]
    tasks: list[Binding]
    digest: str


class Dataset(DatasetRow):
    """A dataset with its faults and what belongs to it."""

    related_datasets: list[str]
    slices: dict[str, list[str]]
    faults: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    progress: dict[str, Any] | None
    waits_for: ErrorDocument | None
    retry_at: str | None


class GuideRow(TypedDict):
    """A guide of the help; `group` is the heading under which it is listed."""

    name: str
    title: str
    group: str


class Guide(GuideRow):
    """A guide with its text, in Markdown."""

    text: str


class Email(TypedDict):
    """The e-mail of a notification; `error` says why it was not sent the last time."""

    state: str
    sent_at: str | None
    error: str


class Notification(TypedDict):
    """What the caller was told; `link` is a path in the portal, `email` null where none was asked for."""

    id: int
    kind: str
    title: str
    reason: str
    hint: str
    link: str
    created_at: str
    read_at: str | None
    email: Email | None


class Webhook(TypedDict):
    """A webhook without its secret; `username` is in whose name it is sent."""

    id: int
    url: str
    team: str | None
    username: str
    description: str
    kinds: list[str] | None
    created_at: str
    former_until: str | None
    failing_since: str | None
    disabled_at: str | None
    disabled_reason: str


class NewWebhook(Webhook):
    """A new webhook; the secret is shown this once."""

    secret: str


class DeliveryTry(TypedDict):
    """One try of a delivery; `status` is null where there was no answer."""

    at: str
    seconds: float
    status: int | None
    error: str


class Delivery(TypedDict):
    """A message to a webhook; `message_id` is its header `webhook-id`, `tries` are in order."""

    id: int
    message_id: str
    event: str
    kind: str
    label: str
    state: str
    attempts: int
    created_at: str
    next_at: str | None
    delivered_at: str | None
    error: str
    body: str
    tries: list[DeliveryTry]


class Problem(TypedDict):
    """What went wrong, by RFC 9457, with the catalogue's name and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    name: str
    message: str
    hint: str
    place: str | None
    also: list[str]
    fields: dict[str, list[str]] | None
