"""API of evaluation datasets: their metadata, never their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.listing import list_page
from mop.accounts.models import Team
from mop.accounts.owners import get_owner_of
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.schemas import OwnerIn
from mop.accounts.selectors import get_team, get_user
from mop.accounts.services import ensure_team
from mop.catalog.models import Task
from mop.catalog.schemas import ModalityName
from mop.catalog.selectors import get_task
from mop.datasets.documents import detail_of
from mop.datasets.models import Dataset
from mop.datasets.owners import add_owner, remove_owner
from mop.datasets.schemas import DatasetDetail, DatasetOut, DatasetPage, DatasetPatch, DatasetsIn, SortName
from mop.datasets.selectors import datasets_for_list, get_dataset, sort_of
from mop.datasets.services import (
    DatasetInput,
    FileInput,
    cancel_dataset,
    change_dataset,
    create_datasets,
    delete_dataset,
    retry_dataset,
    set_outdated,
)
from mop.datasets.states import DatasetStatus
from mop.errors import NotFoundError, ValidationFailedError

router = Router(tags=["datasets"])


@router.get("/datasets", response=DatasetPage)
def list_datasets(
    request: HttpRequest,  # noqa: ARG001 - ninja passes it
    search: str = "",
    status: DatasetStatus | str = "",
    modality: ModalityName | None = None,
    task: str = "",
    sort: SortName = "name",
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Datasets; without a status all except outdated and verifyFailed, with `all` every one."""
    datasets = datasets_for_list(search=search, status=status, modality=modality or "", task=task)
    field, descending = sort_of(sort)
    return list_page(datasets, field=field, descending=descending, cursor=cursor, limit=limit)


@router.post("/datasets", response={201: list[DatasetOut]})
def add_datasets(request: HttpRequest, body: DatasetsIn) -> Status[list[Dataset]]:
    """Add the datasets of one file, and read and verify it."""
    caller = caller_of(request)
    authorise(caller.user, "datasets.create", what="create datasets")
    created = create_datasets(
        actor=caller.actor,
        user=caller.user,
        file=FileInput(
            team=_team_for(caller, body.team),
            modality=body.modality,
            source_type=body.source_type,
            url=body.url,
            language=body.language,
            group_columns=body.group_columns,
            language_column=body.language_column or "",
        ),
        datasets=[
            DatasetInput(
                label_header=one.label_header,
                name=one.name,
                label_type=one.label_type,
                label_size=one.label_size,
                tasks=_tasks_of(one.tasks, f"datasets.{place}.tasks"),
                description=one.description,
            )
            for place, one in enumerate(body.datasets)
        ],
    )
    return Status(201, [get_dataset(dataset.name) for dataset in created])


@router.get("/datasets/{name}", response=DatasetDetail)
def get_one_dataset(request: HttpRequest, name: str) -> Dataset:
    """One dataset by name. Rows of faults are told to its owners alone."""
    return detail_of(caller_of(request).user, get_dataset(name))


@router.patch("/datasets/{name}", response=DatasetDetail)
def patch_dataset(request: HttpRequest, name: str, body: DatasetPatch) -> Dataset:
    """Change description and bound tasks. Owners only."""
    caller, dataset = _changed(request, name, "change this dataset")
    tasks = None if body.tasks is None else _tasks_of(body.tasks, "tasks")
    change_dataset(actor=caller.actor, dataset=dataset, description=body.description, tasks=tasks)
    return detail_of(caller.user, get_dataset(name))


@router.post("/datasets/{name}/retry", response=DatasetDetail)
def retry(request: HttpRequest, name: str) -> Dataset:
    """Read the url again and verify what stands there now. Owners only."""
    caller, dataset = _changed(request, name, "retry this dataset")
    retry_dataset(actor=caller.actor, dataset=dataset)
    return detail_of(caller.user, get_dataset(name))


@router.post("/datasets/{name}/cancel", response=DatasetDetail)
def cancel(request: HttpRequest, name: str) -> Dataset:
    """Stop the verification. Owners only."""
    caller, dataset = _changed(request, name, "cancel the verification of this dataset")
    cancel_dataset(actor=caller.actor, dataset=dataset)
    return detail_of(caller.user, get_dataset(name))


@router.post("/datasets/{name}/outdated", response=DatasetDetail)
def outdated(request: HttpRequest, name: str) -> Dataset:
    """Set the dataset aside: nothing new is measured on it. Owners only."""
    caller, dataset = _changed(request, name, "set this dataset aside")
    set_outdated(actor=caller.actor, dataset=dataset)
    return detail_of(caller.user, get_dataset(name))


@router.delete("/datasets/{name}", response={204: None})
def remove_dataset(request: HttpRequest, name: str) -> Status[None]:
    """Delete a dataset with its bindings; stops what runs. Owners only."""
    caller, dataset = _changed(request, name, "delete this dataset")
    delete_dataset(actor=caller.actor, dataset=dataset)
    return Status(204, None)


@router.post("/datasets/{name}/owners", response={201: DatasetDetail})
def post_owner(request: HttpRequest, name: str, body: OwnerIn) -> Status[Dataset]:
    """Make a user an owner. Owners and administrators."""
    caller, dataset = _changed(request, name, "change the owners of this dataset", "datasets.change_owners")
    with named_in("username"):
        user = get_user(body.username)
    add_owner(actor=caller.actor, dataset=dataset, user=user)
    return Status(201, detail_of(caller.user, get_dataset(name)))


@router.delete("/datasets/{name}/owners/{username}", response={204: None})
def delete_owner(request: HttpRequest, name: str, username: str) -> Status[None]:
    """Take a user off the owners; never the last one. Owners and administrators."""
    caller, dataset = _changed(request, name, "change the owners of this dataset", "datasets.change_owners")
    remove_owner(actor=caller.actor, dataset=dataset, user=get_owner_of(dataset, username))
    return Status(204, None)


def _changed(request: HttpRequest, name: str, what: str, permission: str = "datasets.change") -> tuple[Caller, Dataset]:
    caller = caller_of(request)
    dataset = get_dataset(name)
    authorise(caller.user, permission, dataset, what=what)
    return caller, dataset


def _tasks_of(names: Sequence[str], field: str) -> list[Task]:
    found: list[Task] = []
    unknown: list[str] = []
    for name in names:
        try:
            found.append(get_task(name))
        except NotFoundError as error:
            unknown.append(error.message)
    if unknown:
        raise ValidationFailedError(f"{field}: {' '.join(unknown)}", fields={field: unknown})
    return found


def _team_for(caller: Caller, name: str | None) -> Team:
    """The named team, or the caller's first.

    Raises:
        ValidationFailedError: the team is unknown.
        NotAllowedError: the caller does not belong to it.
    """
    if name is None:
        return ensure_team(actor=caller.actor, user=caller.user)
    with named_in("team"):
        team = get_team(caller.user, name)
    authorise(caller.user, "accounts.create_for_team", team, what=f"create things for team {team.name}")
    return team
