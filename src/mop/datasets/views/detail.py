"""The page of one dataset: status, faults, bindings, metadata."""

from __future__ import annotations

import csv
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.forms import UsernameForm
from mop.accounts.rules import authorise, may
from mop.datasets.documents import detail_of
from mop.datasets.models import Dataset
from mop.datasets.selectors import get_dataset
from mop.datasets.states import DATASET_LIFECYCLE, DatasetStatus
from mop.datasets.views.trails import below_datasets
from mop.ui.extensions import DATASET_SECTIONS
from mop.ui.fragments import Action, Live, live_answer

_PERCENT = 100


@require_GET
def dataset(request: HttpRequest, name: str) -> HttpResponse:
    """One dataset."""
    return render(request, "datasets/dataset.html", page_context(request, name))


@require_GET
def live_dataset(request: HttpRequest, name: str) -> HttpResponse:
    """Its live part again while it is verified."""
    context = _context(request, name)
    return live_answer(request, context["live"], context)


@require_GET
def faults_csv(request: HttpRequest, name: str) -> HttpResponse:
    """The faults and warnings with their rows, for owners of the dataset who are of its team."""
    user = user_of(request)
    found = get_dataset(name)
    authorise(user, "datasets.view_places", found, what="see the rows of this dataset's faults")
    detail: Any = detail_of(user, found)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-faults.csv"'
    writer = csv.writer(response)
    writer.writerow(["kind", "title", "column", "count", "first rows"])
    for fault in [*detail.faults, *detail.warnings]:
        rows = " ".join(str(row) for row in fault["rows"])
        writer.writerow([fault["kind"], fault["title"], fault["column"] or "", fault["count"], rows])
    return response


def page_context(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the page of a dataset shows."""
    context = _context(request, name)
    return {**context, "sections": DATASET_SECTIONS.shown(request, context["found"])}


def _context(request: HttpRequest, name: str) -> dict[str, Any]:
    user = user_of(request)
    found = get_dataset(name)
    status = found.get_status()
    detail: Any = detail_of(user, found)
    may_change = may(user, "datasets.change", found)
    bindings = list(found.bindings.all())
    progress = detail.progress
    return {
        "found": found,
        "dataset": detail,
        "status": status,
        "trail": below_datasets((name, "")),
        "owners": sorted(found.owners.all(), key=lambda owner: owner.username),
        "owner_form": UsernameForm(),
        "may_change_owners": may(user, "datasets.change_owners", found),
        "bindings": [(binding, binding.get_state()) for binding in bindings],
        "related": detail.related_datasets,
        "labels": [{**one, "percent": one["ratio"] * _PERCENT} for one in found.label_ratio()],
        "may_change": may_change,
        "sees_rows": may(user, "datasets.view_places", found),
        "percent": progress["done"] * _PERCENT // progress["total"] if progress and progress["total"] else None,
        "error": found.error if status == DatasetStatus.VERIFY_FAILED else None,
        "live": Live(
            id="dataset-live",
            url=reverse("datasets:live_dataset", args=[name]),
            seconds=2,
            is_final=status.is_final,
            state=[
                [found.status, found.attempt, found.description, found.error, found.reading.host],
                [progress, detail.waits_for, detail.retry_at],
                [[binding.pk, binding.state, binding.comment] for binding in bindings],
            ],
            status=status,
            progress="datasets/components/progress.html",
            actions=_actions(found, may_change=may_change),
            result="datasets/components/detail.html",
            announce=f"{name} is {status.value}",
            moving="The file is verified",
        ),
    }


def _actions(found: Dataset, *, may_change: bool) -> list[Action]:
    """What an owner may do with the dataset as it stands."""
    if not may_change:
        return []
    status, where = found.get_status(), [found.name]
    actions = []
    if status in DATASET_LIFECYCLE.restarts:
        retry = reverse("datasets:retry", args=where)
        actions.append(Action("retry", "Read the file again", retry, "primary", is_post=True))
    if status.is_live:
        actions.append(Action("cancel", "Cancel", reverse("datasets:cancel", args=where), "danger", is_post=True))
    if DatasetStatus.OUTDATED in DATASET_LIFECYCLE.transitions[status]:
        actions.append(Action("outdated", "Mark as outdated…", reverse("datasets:outdated", args=where)))
    actions.append(Action("delete", "Delete…", reverse("datasets:delete", args=where), "danger"))
    return actions
