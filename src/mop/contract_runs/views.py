"""Pages that add, check and disconnect tasks, and the editor of sample post data."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.forms import HiddenInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.catalog.selectors import get_task_by_id
from mop.contract_runs.forms import AddTaskForm, SampleForm
from mop.contract_runs.pages import sample_context, tasks_context
from mop.contract_runs.selectors import get_run, tasks_to_connect, unproved_tasks
from mop.contract_runs.services import (
    add_task,
    cancel_run,
    change_sample,
    check_task,
    disconnect_task,
    disconnection_obstacle,
)
from mop.contract_runs.states import ContractRunState
from mop.errors import ConflictError, NotFoundError, ValidationFailedError
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.samples import sample_tag
from mop.registry.selectors import get_model, get_revision
from mop.registry.statuses import RevisionStatus
from mop.registry.trails import below_model, below_revision
from mop.ui.forms import as_json
from mop.ui.fragments import live_answer
from mop.ui.pages import Done, confirm_page, form_page, sent, show_form


@require_GET
def live_tasks(request: HttpRequest, name: str) -> HttpResponse:
    """The connected tasks again, while a version is checked with one."""
    context = tasks_context(request, get_model(user_of(request), name))
    return live_answer(request, context["tasks_live"], context)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, name: str) -> HttpResponse:
    """Connect a task, or correct what the model's output calls the taxonomy of a connected one."""
    model = _changeable(request, name)
    chosen = request.GET.get("task", "")
    misnamed = (
        unproved_tasks(model).select_related("task").filter(task=int(chosen) if chosen.isdecimal() else 0).first()
    )
    if misnamed:
        return _correct(request, model, misnamed)
    form = AddTaskForm(request.POST or None, initial={"task": chosen}, tasks=tasks_to_connect(model))

    def act() -> Done:
        task = form.chosen
        runs = add_task(
            actor=actor_in(request), model=model, task=task, customized_name=form.cleaned_data["customized_name"]
        )
        follows = "Each version is checked with it when it is verified; retry those that failed."
        if runs:
            follows = f"{len(runs)} verified version{'s are' if len(runs) > 1 else ' is'} being checked with it."
        return Done(f"The task {task.name} is connected. {follows}", _tasks_url(model))

    return form_page(
        request,
        form,
        act,
        title=f"Add a task to {name}",
        trail=below_model(name, ("Add task", "")),
        lead="Each verified version first passes the task's contract check: labels, scores and the taxonomy's name in "
        "its output. A version that fails it stays verified for its other tasks.",
        submit="Add task",
        cancel_url=_tasks_url(model),
    )


def _correct(request: HttpRequest, model: Model, connection: TaskConnection) -> HttpResponse:
    """The same form for what the model's output calls the taxonomy of a connected task."""
    task = connection.task
    initial = {"task": str(task.pk), "customized_name": connection.customized_name}
    form = AddTaskForm(request.POST or None, initial=initial, tasks=[task])
    form.fields["task"].widget = HiddenInput()

    def act() -> Done:
        given = form.cleaned_data["customized_name"]
        runs = add_task(actor=actor_in(request), model=model, task=task, customized_name=given)
        follows = (
            "It is being checked." if runs else "Retry the versions that failed: their files can stay as they are."
        )
        return Done(
            f"The customized name of {task.name} is {given or task.taxonomy.name}. {follows}", _tasks_url(model)
        )

    title = f"Correct the customized name of {task.name}"
    return form_page(
        request,
        form,
        act,
        title=title,
        trail=below_model(model.name, (title, "")),
        lead=f"Under this name {model.name} is checked with the task. It can be corrected until a version passed.",
        submit="Save name",
        cancel_url=_tasks_url(model),
    )


@require_http_methods(["GET", "POST"])
def disconnect(request: HttpRequest, name: str, task_id: int) -> HttpResponse:
    """Ask, then disconnect a task."""
    model = _changeable(request, name)
    connection = model.connections.select_related("task", "taxonomy").filter(task=task_id).first()
    if connection is None:
        raise NotFoundError(f"The model {name} has no connected task {task_id}.")
    if obstacle := disconnection_obstacle(connection):
        raise ConflictError(obstacle, hint="Connect another task first, or keep this one.")

    def act() -> Done:
        disconnect_task(actor=actor_in(request), model=model, task=connection.task)
        return Done(f"The task {connection.task.name} is disconnected. Its results are hidden.", _tasks_url(model))

    return confirm_page(
        request,
        act,
        title=f"Disconnect {connection.task.name}?",
        trail=below_model(name, ("Disconnect task", "")),
        lead="Its results are hidden, not lost: connect it again, and they are shown again. This is hidden:",
        goes=[
            f"the results of every version of {name} on the task {connection.task.name}",
            f"the mapping of {connection.taxonomy.name} to {connection.customized_name}",
        ],
        submit="Disconnect task",
        cancel_url=_tasks_url(model),
    )


@require_POST
def check(request: HttpRequest, name: str, version: str, task_id: int) -> HttpResponse:
    """Check a version with a task again."""
    revision = _changeable_revision(request, name, version)
    task = get_task_by_id(task_id)

    check_task(actor=actor_in(request), revision=revision, task=task)
    messages.success(request, f"{version} is being checked with the task {task.name}.")
    return redirect(_tasks_url(revision.model))


@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """The editor of a version's sample post data."""
    revision = _changeable_revision(request, name, version)
    stands = revision.sample_post_data
    shown = sample_context(user_of(request), revision)
    last = shown["run"]
    # what was refused is there to be corrected
    refused = last is not None and last.get_state() in {ContractRunState.FAILED, ContractRunState.UNDECIDED}
    initial = {"sample_post_data": last.sample if refused else stands, "seen": sample_tag(stands)}
    form = SampleForm(request.POST or None, initial=initial)

    def act() -> Done:
        given = form.cleaned_data
        try:
            run = change_sample(
                actor=actor_in(request),
                revision=revision,
                sample=given["sample_post_data"],
                expected=given["seen"] or None,
            )
        except ConflictError as error:  # what was typed stays in the form
            raise ValidationFailedError(
                error.message, fields={"": [f"{error.message} {error.hint}".strip()]}
            ) from error
        told = "is being verified; the present one counts until it passed" if run else "is saved"
        return Done(f"The sample post data of {version} {told}.", _details_url(revision))

    context = {
        **shown,
        "trail": below_revision(revision, "Sample post data"),
        "cancel_url": _details_url(revision),
        "stands": as_json(stands) if stands is not None else "",
        "differs": refused or request.POST.get("seen", sample_tag(stands)) != sample_tag(stands),
        "is_verified": revision.get_status() == RevisionStatus.VERIFIED,
    }
    return sent(request, form, act) or show_form(request, "contract_runs/sample.html", form, context)


@require_POST
def cancel(request: HttpRequest, name: str, version: str, run_id: uuid.UUID) -> HttpResponse:
    """End a contract run."""
    revision = _changeable_revision(request, name, version)
    run = get_run(revision, run_id)
    cancel_run(actor=actor_in(request), run=run)
    messages.success(request, f"The contract run of {version} is cancelled.")
    return redirect(_tasks_url(revision.model) if run.task else _details_url(revision))


def _changeable(request: HttpRequest, name: str) -> Model:
    user = user_of(request)
    model = get_model(user, name)
    authorise(user, "contract_runs.change", model, what="change the tasks of this model")
    return model


def _changeable_revision(request: HttpRequest, name: str, version: str) -> Revision:
    user = user_of(request)
    revision = get_revision(user, name, version)
    authorise(user, "contract_runs.change", revision, what="change this version")
    return revision


def _tasks_url(model: Model) -> str:
    return f"{reverse('registry:model', args=[model.name])}#connected-tasks"


def _details_url(revision: Revision) -> str:
    return reverse("registry:revision", args=[revision.model.name, revision.version])
