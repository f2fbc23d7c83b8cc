"""Decisions of task owners about datasets."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.datasets.bindings import approve, reject
from mop.datasets.forms import DecisionForm
from mop.datasets.models import Binding
from mop.datasets.selectors import get_binding_by_id
from mop.ui.pages import Done, form_page


@require_POST
def approve_request(request: HttpRequest, binding_id: int) -> HttpResponse:
    """Let models of the task be measured on the dataset."""
    binding = _decidable(request, binding_id)
    approve(actor=actor_in(request), binding=binding)
    messages.success(request, f"{binding.dataset.name} is approved for {binding.task.name}.")
    return redirect("catalog:task", task_id=binding.task_id)


@require_http_methods(["GET", "POST"])
def reject_request(request: HttpRequest, binding_id: int) -> HttpResponse:
    """Refuse the dataset with a comment."""
    binding = _decidable(request, binding_id)
    here = reverse("catalog:task", args=[binding.task_id])
    form = DecisionForm(request.POST or None)

    def act() -> Done:
        reject(actor=actor_in(request), binding=binding, comment=form.cleaned_data["comment"])
        return Done(f"{binding.dataset.name} is rejected for {binding.task.name}.", here)

    title = f"Reject {binding.dataset.name} for {binding.task.name}"
    return form_page(
        request,
        form,
        act,
        title=title,
        trail=[("Tasks", reverse("catalog:tasks")), (binding.task.name, here), ("Reject a dataset", "")],
        lead="Models of the task are not measured on the dataset.",
        submit="Reject",
        cancel_url=here,
    )


def _decidable(request: HttpRequest, binding_id: int) -> Binding:
    user = user_of(request)
    binding = get_binding_by_id(binding_id)
    authorise(user, "datasets.decide", binding.task, what="decide about datasets of this task")
    return binding
