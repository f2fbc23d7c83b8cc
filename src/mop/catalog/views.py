"""Pages of tasks, taxonomies and instance types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.catalog.forms import InstanceTypeForm, TaskFilterForm, TaskForm, TaxonomyForm
from mop.catalog.models import InstanceType, Taxonomy
from mop.catalog.selectors import get_task_by_id, tasks_for_list
from mop.catalog.services import create_instance_type, create_task, create_taxonomy
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
    user_of(request)
    found = get_task_by_id(task_id)
    trail = [("Tasks", reverse("catalog:tasks")), (found.name, "")]
    context = {"task": found, "trail": trail, "sections": TASK_SECTIONS.shown(request, found)}
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
