"""The list of datasets."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.catalog.models import Task
from mop.datasets.forms import DatasetFilterForm
from mop.datasets.models import Dataset
from mop.datasets.selectors import datasets_for_list, requests_for, sort_of
from mop.datasets.states import BindingState
from mop.ui.fragments import LIVE_TEMPLATE, Live, live_answer
from mop.ui.middleware import is_fragment
from mop.ui.paging import keyset_page

PAGE_ROWS = 25


@require_GET
def datasets(request: HttpRequest) -> HttpResponse:
    """The list with its filters; htmx asks for the rows alone when a filter changes."""
    user = user_of(request)
    context = _context(request)
    if is_fragment(request):
        return render(request, LIVE_TEMPLATE, context)
    waiting = list(requests_for(user))
    tasks = {binding.task_id: binding.task for binding in waiting}
    context |= {"waiting": len(waiting), "waiting_tasks": list(tasks.values())}
    return render(request, "datasets/datasets.html", context)


@require_GET
def live_datasets(request: HttpRequest) -> HttpResponse:
    """The rows again while something is verified."""
    user_of(request)
    context = _context(request)
    return live_answer(request, context["live"], context)


def _context(request: HttpRequest) -> dict[str, Any]:
    names = Task.objects.filter(dataset_bindings__isnull=False).distinct().order_by("name")
    form = DatasetFilterForm(request.GET, tasks=list(names.values_list("name", flat=True)))
    given = form.cleaned_data if form.is_valid() else {}
    filters = {name: given.get(name, "") for name in ("search", "status", "modality", "task")}
    sort = given.get("sort", "") or "name"
    field, descending = sort_of(sort)
    page = keyset_page(
        datasets_for_list(**filters),
        field=field,
        descending=descending,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_ROWS,
    )
    return {
        "form": form,
        "page": page,
        "rows": [_row(dataset) for dataset in page.rows],
        "sort": sort,
        "filtered": any(filters.values()),
        "live": Live(
            id="datasets",
            url=reverse("datasets:live_datasets"),
            query=request.GET.urlencode(),
            seconds=3,
            is_final=all(dataset.get_status().is_final for dataset in page.rows),
            state=[_state(dataset) for dataset in page.rows],
            result="datasets/components/rows.html",
            moving="Datasets are verified",
        ),
    }


def _row(dataset: Dataset) -> dict[str, Any]:
    bindings = list(dataset.bindings.all())
    return {
        "dataset": dataset,
        "status": dataset.get_status(),
        "bindings": bindings,
        "approved": sum(binding.state == BindingState.APPROVED for binding in bindings),
        "waiting": sum(binding.state == BindingState.REQUESTED for binding in bindings),
        "rejected": sum(binding.state == BindingState.REJECTED for binding in bindings),
        "ratio": " / ".join(f"{one['ratio'] * 100:.0f}" for one in dataset.label_ratio()[:4]),
    }


def _state(dataset: Dataset) -> list[Any]:
    return [
        dataset.pk,
        dataset.status,
        dataset.attempt,
        dataset.description,
        dataset.rows,
        [[binding.pk, binding.state] for binding in dataset.bindings.all()],
    ]
