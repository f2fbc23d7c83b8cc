"""API of connected tasks, sample post data and contract runs."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.references import named_in
from mop.accounts.rules import authorise, may
from mop.catalog.selectors import get_task
from mop.contract_runs.schemas import (
    ConnectedTaskIn,
    ConnectedTaskOut,
    ContractRunIn,
    ContractRunOut,
    SampleIn,
    SampleOut,
    run_out,
    task_out,
)
from mop.contract_runs.selectors import connected_tasks, get_run, newest_sample_run, runs_of
from mop.contract_runs.services import add_task, cancel_run, change_sample, check_task, disconnect_task
from mop.errors import NotFoundError
from mop.registry.models import Model, Revision
from mop.registry.samples import sample_tag
from mop.registry.selectors import get_model, get_revision, visible_revisions

router = Router(tags=["connected tasks"])
_REVISION = "/models/{name}/revisions/{version}"
VERSIONS_MAX = 100
RUNS_MAX = 100


@router.get("/models/{name}/tasks", response=list[ConnectedTaskOut])
def list_connected_tasks(request: HttpRequest, name: str) -> list[ConnectedTaskOut]:
    """The connected tasks, and where each of the newest 100 versions that the caller sees stands with them."""
    return _tasks(caller_of(request), get_model(caller_of(request).user, name))


@router.post("/models/{name}/tasks", response={201: list[ConnectedTaskOut]})
def post_connected_task(request: HttpRequest, name: str, body: ConnectedTaskIn) -> Status[list[ConnectedTaskOut]]:
    """Connect a task; each verified version is checked with it. Owners only."""
    caller = caller_of(request)
    model = _changeable(caller, name)
    with named_in("task"):
        task = get_task(body.task)
    add_task(actor=caller.actor, model=model, task=task, customized_name=body.customized_name)
    return Status(201, _tasks(caller, model))


@router.delete("/models/{name}/tasks/{path:task}", response={204: None})
def delete_connected_task(request: HttpRequest, name: str, task: str) -> Status[None]:
    """Disconnect a task; its results are hidden, not lost. Never the last one. Owners only."""
    caller = caller_of(request)
    model = _changeable(caller, name)
    connection = model.connections.select_related("task").filter(task__name=task).first()
    if connection is None:
        raise NotFoundError(f"The model {name} has no connected task {task!r}.")
    disconnect_task(actor=caller.actor, model=model, task=connection.task)
    return Status(204, None)


@router.get(f"{_REVISION}/sample", response=SampleOut)
def get_sample(request: HttpRequest, response: HttpResponse, name: str, version: str) -> SampleOut:
    """The sample post data, with its ETag, and for owners the newest attempt to change it."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    response["ETag"] = f'"{sample_tag(revision.sample_post_data)}"'
    return _sample(caller, revision)


@router.put(f"{_REVISION}/sample", response={200: SampleOut, 202: SampleOut})
def put_sample(request: HttpRequest, name: str, version: str, body: SampleIn) -> Status[SampleOut]:
    """Change the sample post data. 202: a contract run verifies it, and the old one counts until that passed.

    With `If-Match` the sample must be the one of that ETag. Owners only.
    """
    caller = caller_of(request)
    revision = _changeable_revision(caller, name, version)
    expected = request.headers.get("If-Match", "").strip().strip('"')
    run = change_sample(actor=caller.actor, revision=revision, sample=body.sample_post_data, expected=expected or None)
    return Status(202 if run else 200, _sample(caller, get_revision(caller.user, name, version)))


@router.get(f"{_REVISION}/contract-runs", response=list[ContractRunOut])
def list_contract_runs(request: HttpRequest, name: str, version: str) -> list[ContractRunOut]:
    """The newest 100 contract runs of a version. Owners and administrators."""
    caller = caller_of(request)
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "contract_runs.view_errors", revision, what="see the contract runs of this version")
    return [run_out(run) for run in runs_of(revision)[:RUNS_MAX]]


@router.post(f"{_REVISION}/contract-runs", response={201: ContractRunOut})
def post_contract_run(request: HttpRequest, name: str, version: str, body: ContractRunIn) -> Status[ContractRunOut]:
    """Check a verified version with a connected task again. Owners only."""
    caller = caller_of(request)
    revision = _changeable_revision(caller, name, version)
    with named_in("task"):
        task = get_task(body.task)
    return Status(201, run_out(check_task(actor=caller.actor, revision=revision, task=task)))


@router.post(f"{_REVISION}/contract-runs/{{run_id}}/cancel", response=ContractRunOut)
def post_cancel(request: HttpRequest, name: str, version: str, run_id: uuid.UUID) -> ContractRunOut:
    """End a contract run that waits or runs. Owners only."""
    caller = caller_of(request)
    revision = _changeable_revision(caller, name, version)
    cancel_run(actor=caller.actor, run=get_run(revision, run_id))
    return run_out(get_run(revision, run_id))


def _tasks(caller: Caller, model: Model) -> list[ConnectedTaskOut]:
    with_errors = may(caller.user, "contract_runs.view_errors", model)
    found = connected_tasks(model, visible_revisions(caller.user), VERSIONS_MAX)
    return [task_out(connected, with_errors=with_errors) for connected in found.tasks]


def _sample(caller: Caller, revision: Revision) -> SampleOut:
    run = newest_sample_run(revision) if may(caller.user, "contract_runs.view_errors", revision) else None
    return SampleOut(sample_post_data=revision.sample_post_data, contract_run=run_out(run) if run else None)


def _changeable(caller: Caller, name: str) -> Model:
    model = get_model(caller.user, name)
    authorise(caller.user, "contract_runs.change", model, what="change the tasks of this model")
    return model


def _changeable_revision(caller: Caller, name: str, version: str) -> Revision:
    revision = get_revision(caller.user, name, version)
    authorise(caller.user, "contract_runs.change", revision, what="change this version")
    return revision
