"""Changes to a dataset that its owners ask for."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.catalog.selectors import tasks_for_list
from mop.datasets.candidates import misfit
from mop.datasets.forms import DescriptionForm, TasksForm
from mop.datasets.models import Dataset
from mop.datasets.selectors import get_dataset
from mop.datasets.services import cancel_dataset, change_dataset, delete_dataset, retry_dataset, set_outdated
from mop.datasets.states import BindingState
from mop.datasets.views.trails import below_dataset
from mop.ui.pages import Done, confirm_page, form_page


@require_http_methods(["GET", "POST"])
def description(request: HttpRequest, name: str) -> HttpResponse:
    """Edit the description."""
    dataset = _owned(request, name, "change this dataset")
    here = reverse("datasets:dataset", args=[name])
    form = DescriptionForm(request.POST or None, initial={"description": dataset.description})

    def act() -> Done:
        change_dataset(actor=actor_in(request), dataset=dataset, description=form.cleaned_data["description"])
        return Done("The description is saved.", here)

    title = f"Description of {name}"
    trail = below_dataset(name, "Description")
    return form_page(request, form, act, title=title, trail=trail, submit="Save", cancel_url=here)


@require_http_methods(["GET", "POST"])
def tasks(request: HttpRequest, name: str) -> HttpResponse:
    """Change the connected tasks."""
    dataset = _owned(request, name, "change this dataset")
    here = reverse("datasets:dataset", args=[name])
    bindings = list(dataset.bindings.all())
    standing = {binding.task_id for binding in bindings}
    candidates = [
        task
        for task in tasks_for_list(modality=dataset.file.modality)
        if task.pk in standing
        or not misfit(
            task, modality=dataset.file.modality, label_type=dataset.label_type, label_size=dataset.label_size
        )
    ]
    kept = [str(binding.task_id) for binding in bindings if binding.state != BindingState.REJECTED]
    form = TasksForm(request.POST or None, tasks=candidates, initial={"tasks": kept})

    def act() -> Done:
        change_dataset(actor=actor_in(request), dataset=dataset, tasks=form.chosen([int(key) for key in kept]))
        return Done("The connected tasks are saved.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Connected tasks of {name}",
        trail=below_dataset(name, "Connected tasks"),
        lead="A dataset is used in evaluations only after an owner of the task approves it.",
        submit="Save",
        cancel_url=here,
    )


@require_POST
def retry(request: HttpRequest, name: str) -> HttpResponse:
    """Read the url again."""
    dataset = _owned(request, name, "retry this dataset")
    retry_dataset(actor=actor_in(request), dataset=dataset)
    messages.success(request, f"The file of {name} is read again.")
    return redirect("datasets:dataset", name=name)


@require_POST
def cancel(request: HttpRequest, name: str) -> HttpResponse:
    """Stop the verification."""
    dataset = _owned(request, name, "cancel the verification of this dataset")
    cancel_dataset(actor=actor_in(request), dataset=dataset)
    messages.success(request, f"The verification of {name} is cancelled.")
    return redirect("datasets:dataset", name=name)


@require_http_methods(["GET", "POST"])
def outdated(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then set the dataset aside."""
    dataset = _owned(request, name, "set this dataset aside")
    here = reverse("datasets:dataset", args=[name])

    def act() -> Done:
        set_outdated(actor=actor_in(request), dataset=dataset)
        return Done(f"{name} is outdated.", here)

    return confirm_page(
        request,
        act,
        title=f"Mark {name} as outdated?",
        trail=below_dataset(name, "Mark as outdated"),
        lead="Nothing new is measured on it, and it leaves the default list. This cannot be undone.",
        submit="Mark as outdated",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then delete the dataset."""
    dataset = _owned(request, name, "delete this dataset")
    here = reverse("datasets:dataset", args=[name])

    def act() -> Done:
        delete_dataset(actor=actor_in(request), dataset=dataset)
        return Done(f"{name} is deleted.", reverse("datasets:datasets"))

    return confirm_page(
        request,
        act,
        title=f"Delete {name}?",
        trail=below_dataset(name, "Delete"),
        lead="This cannot be undone. It deletes the dataset, everything that was measured on it, and:",
        goes=[f"the connection to {binding.task.name}, {binding.state}" for binding in dataset.bindings.all()],
        submit="Delete",
        cancel_url=here,
    )


def _owned(request: HttpRequest, name: str, what: str) -> Dataset:
    user = user_of(request)
    dataset = get_dataset(name)
    authorise(user, "datasets.change", dataset, what=what)
    return dataset
