"""Pages of tasks, taxonomies and instance types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.catalog.forms import DescriptionForm, InstanceTypeForm, TaskChangeForm, TaskFilterForm, TaskForm, TaxonomyForm
from mop.catalog.models import InstanceType, Taxonomy
from mop.catalog.selectors import get_instance_type_by_id, get_task_by_id, get_taxonomy_by_id, tasks_for_list
from mop.catalog.services import (
    change_task,
    change_taxonomy,
    create_instance_type,
    create_task,
    create_taxonomy,
    offer_instance_type,
)
from mop.ui.extensions import TASK_SECTIONS
from mop.ui.pages import Done, form_page, sent, show_form
from mop.ui.paging import keyset_page

PAGE_ROWS = 50


@require_GET
def tasks(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = TaskFilterForm(request.GET)
    given = {name: value for name, value in (form.cleaned_data if form.is_valid() else {}).items() if value}
    page = keyset_page(
        tasks_for_list(**given), field="name", descending=False, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS
    )
    context = {"page": page, "form": form, "filtered": bool(given), "may_define": may(user, "catalog.define")}
    return render(request, "catalog/tasks.html", context)


@require_GET
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    """One task, and what areas above know about it."""
    user = user_of(request)
    found = get_task_by_id(task_id)
    trail = [("Tasks", reverse("catalog:tasks")), (found.name, "")]
    context = {"task": found, "trail": trail, "sections": TASK_SECTIONS.shown(request, found)}
    context["may_change"] = may(user, "catalog.change_task", found)
    return render(request, "catalog/task.html", context)


@require_http_methods(["GET", "POST"])
def add_task(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    authorise(user, "catalog.define", what="define tasks")
    form = TaskForm(request.POST or None, initial={"owners": user.username})

    def act() -> Done:
        created = create_task(actor=actor_in(request), user=user, **form.cleaned_data)
        return Done(f"The task {created.name} is defined.", reverse("catalog:task", args=[created.pk]))

    return form_page(
        request,
        form,
        act,
        title="Add a task",
        trail=[("Tasks", reverse("catalog:tasks")), ("Add a task", "")],
        lead="Name, modality, taxonomy and labels of a task are what models and datasets are measured by.",
        submit="Add task",
        cancel_url=reverse("catalog:tasks"),
    )


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, task_id: int) -> HttpResponse:
    """Change the description and owners of a task."""
    user = user_of(request)
    found = get_task_by_id(task_id)
    authorise(user, "catalog.change_task", found, what="change this task")
    here = reverse("catalog:task", args=[found.pk])
    owners = list(found.owners.all())
    initial = {"description": found.description, "owners": ", ".join(owner.username for owner in owners)}
    form = TaskChangeForm(request.POST or None, initial=initial, owners=owners)

    def act() -> Done:
        given = {name: form.cleaned_data[name] for name in form.changed_data}  # since the form was shown
        change_task(actor=actor_in(request), task=found, **given)
        return Done(f"The task {found.name} is changed.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Change {found.name}",
        trail=[("Tasks", reverse("catalog:tasks")), (found.name, here), ("Change", "")],
        lead="Name, modality, taxonomy and labels stay: results are compared by them.",
        submit="Save",
        cancel_url=here,
    )


@require_http_methods(["GET", "POST"])
def change_description(request: HttpRequest, taxonomy_id: int) -> HttpResponse:
    """Change the description of a taxonomy."""
    authorise(user_of(request), "catalog.define", what="define taxonomies")
    found = get_taxonomy_by_id(taxonomy_id)
    here = reverse("catalog:taxonomies")
    form = DescriptionForm(request.POST or None, initial={"description": found.description})

    def act() -> Done:
        change_taxonomy(actor=actor_in(request), taxonomy=found, **form.cleaned_data)
        return Done(f"The taxonomy {found.name} is changed.", here)

    return form_page(
        request,
        form,
        act,
        title=f"Change {found.name}",
        trail=[("Taxonomies", here), (found.name, "")],
        submit="Save",
        cancel_url=here,
    )


@require_POST
def offer(request: HttpRequest, type_id: int) -> HttpResponse:
    """Offer an instance type again, or retire it."""
    authorise(user_of(request), "catalog.define", what="define instance types")
    found = get_instance_type_by_id(type_id)
    is_offered = request.POST.get("offer") == "yes"
    offer_instance_type(actor=actor_in(request), instance_type=found, is_offered=is_offered)
    messages.success(
        request, f"{found.name} is {'offered' if is_offered else 'retired: versions that have it keep it'}."
    )
    return redirect("catalog:instance_types")


@require_http_methods(["GET", "POST"])
def taxonomies(request: HttpRequest) -> HttpResponse:
    """All taxonomies, and a form for a new one."""
    form = TaxonomyForm(request.POST or None)
    rows = Taxonomy.objects.annotate(task_count=Count("tasks")).order_by("name")
    return _list_and_form(request, "catalog/taxonomies.html", form, rows, create_taxonomy, "catalog:taxonomies")


@require_http_methods(["GET", "POST"])
def instance_types(request: HttpRequest) -> HttpResponse:
    """All instance types, and a form for a new one."""
    form = InstanceTypeForm(request.POST or None)
    rows = InstanceType.objects.all()
    return _list_and_form(
        request, "catalog/instance_types.html", form, rows, create_instance_type, "catalog:instance_types"
    )


def _list_and_form(
    request: HttpRequest,
    template: str,
    form: forms.Form,
    rows: QuerySet[Any],
    create: Callable[..., Any],
    here: str,
) -> HttpResponse:
    authorise(user_of(request), "catalog.define", what="define taxonomies and instance types")

    def act() -> Done:
        created = create(actor=actor_in(request), **form.cleaned_data)
        return Done(f"{created.name} is added.", reverse(here))

    return sent(request, form, act) or show_form(request, template, form, {"rows": rows})
