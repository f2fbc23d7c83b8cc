"""Datasets on Home: requests to the owner of tasks, and own datasets that failed or are read."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.datasets.models import Binding, Dataset
from mop.datasets.reading.faults import KINDS
from mop.datasets.selectors import requests_for
from mop.datasets.states import DATASET_LIFECYCLE, DatasetStatus
from mop.ui.extensions import HOME_DAYS, HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import newest_of_kinds

_REQUESTS_MAX, _NAMES_MAX = 200, 3


def requests(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Datasets that wait for the decision of this owner of tasks, one item a task."""
    by_task: dict[int, list[Binding]] = defaultdict(list)
    for binding in requests_for(user)[:_REQUESTS_MAX]:
        by_task[binding.task_id].append(binding)
    return [_asking(bindings) for bindings in by_task.values()]


def _asking(bindings: Sequence[Binding]) -> HomeItem:
    task, count = bindings[0].task, len(bindings)
    names = ", ".join(binding.dataset.name for binding in bindings[:_NAMES_MAX])
    more = f" and {count - _NAMES_MAX} more" if count > _NAMES_MAX else ""
    return HomeItem(
        place=HomeList.NEEDS,
        what=task.name,
        url=f"{reverse('catalog:task', kwargs={'task_id': task.pk})}#connection-requests",
        text=f"is asked for by {count} dataset{'' if count == 1 else 's'}",
        reason=f"{names}{more}. You own the task: approve or reject.",
        at=bindings[0].requested_at,
        action=f"Review {count}",
        icon="tasks",
    )


def datasets(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Own datasets that failed, that are read, or that were verified in the last days."""
    own = Dataset.objects.filter(owners=user)
    lately = timezone.now() - dt.timedelta(days=HOME_DAYS)
    kinds = (
        Q(status=DatasetStatus.VERIFY_FAILED),
        Q(status__in=sorted(DATASET_LIFECYCLE.live)),
        Q(status=DatasetStatus.VERIFIED, status_changed_at__gte=lately),
    )
    return [_item(one) for one in newest_of_kinds(own, kinds, by="status_changed_at", most=HOME_ITEMS_MAX)]


def _item(dataset: Dataset) -> HomeItem:
    status = dataset.get_status()
    url = reverse("datasets:dataset", kwargs={"name": dataset.name})
    what, at = dataset.name, dataset.status_changed_at
    if status == DatasetStatus.VERIFY_FAILED:
        return HomeItem(
            place=HomeList.NEEDS,
            what=what,
            url=url,
            text="failed verification",
            reason=_reason(dataset),
            at=at,
            action="See faults",
            is_fault=True,
            icon="bad",
        )
    if status == DatasetStatus.VERIFIED:
        return HomeItem(
            place=HomeList.ENDED, what=what, url=url, text="is verified", at=at, action="See dataset", icon="ok"
        )
    return HomeItem(
        place=HomeList.RUNS,
        what=what,
        url=url,
        text="is read and verified",
        reason=str((dataset.error or {}).get("message", "")),
        at=at,
        action="See progress",
        icon="busy",
    )


def _reason(dataset: Dataset) -> str:
    """What is wrong, in words that quote no cell."""
    titles = dict.fromkeys(KINDS[fault["kind"]].title for fault in dataset.faults if fault["kind"] in KINDS)
    if titles:
        return "; ".join(list(titles)[:_NAMES_MAX]) + "."
    return str((dataset.error or {}).get("message", ""))
