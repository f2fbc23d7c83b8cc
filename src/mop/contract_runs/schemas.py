"""What the API takes and gives about connected tasks, samples and contract runs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from ninja import Field, Schema

from mop.accounts.schemas import InputSchema
from mop.contract_runs.models import ContractRun, Subject
from mop.contract_runs.selectors import ConnectedTask
from mop.registry.models import CUSTOMIZED_NAME_MAX


class TaskVersionOut(Schema):
    """Where a version stands with a connected task."""

    version: str
    state: str = Field(description="notAvailable, notChecked, queued, running, passed, failed, undecided, cancelled.")
    contract_run: uuid.UUID | None
    error: dict[str, Any] | None = Field(description="Why it failed; for owners and administrators.")


class ConnectedTaskOut(Schema):
    """A connected task."""

    task: str
    taxonomy: str
    customized_name: str
    modality: str
    label_type: str
    labels: list[str]
    versions: list[TaskVersionOut]


class ConnectedTaskIn(InputSchema):
    """A task to connect."""

    task: str
    customized_name: str = Field(default="", max_length=CUSTOMIZED_NAME_MAX, description="Empty: the taxonomy's name.")


class SampleIn(InputSchema):
    """Another sample post data."""

    sample_post_data: Any = Field(description="The item of inference(); null for none.")


class ContractRunIn(InputSchema):
    """A connected task to check again."""

    task: str


class ContractRunOut(Schema):
    """A contract run."""

    id: uuid.UUID
    subject: Subject
    task: str | None
    customized_name: str
    state: str
    note: str
    warnings: list[str]
    error: dict[str, Any] | None
    created_at: dt.datetime
    created_by: str
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


class SampleOut(Schema):
    """A version's sample post data, and the newest attempt to change it."""

    sample_post_data: Any
    contract_run: ContractRunOut | None


def task_out(connected: ConnectedTask, *, with_errors: bool) -> ConnectedTaskOut:
    """A connected task as the API gives it."""
    task = connected.connection.task
    return ConnectedTaskOut(
        task=task.name,
        taxonomy=connected.connection.taxonomy.name,
        customized_name=connected.connection.customized_name,
        modality=task.modality,
        label_type=task.label_type,
        labels=task.labels,
        versions=[
            TaskVersionOut(
                version=one.revision.version,
                state=one.state.value,
                contract_run=one.run.pk if one.run else None,
                error=one.error if with_errors else None,
            )
            for one in connected.versions
        ],
    )


def run_out(run: ContractRun) -> ContractRunOut:
    """A contract run as the API gives it."""
    return ContractRunOut(
        id=run.pk,
        subject=Subject(run.subject),
        task=run.task.name if run.task else None,
        customized_name=run.customized_name,
        state=run.state,
        note=run.note,
        warnings=run.warnings,
        error=run.error,
        created_at=run.created_at,
        created_by=run.created_by_label,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )
