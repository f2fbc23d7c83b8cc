"""What pages of models, tasks and datasets show of their history: a section that opens, and asks for it then."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.datasets.models import Dataset
from mop.registry.models import Model


def of_model(request: HttpRequest, model: Model) -> SafeString:
    """For owners and administrators."""
    return _section(request, "model", model.pk) if may(user_of(request), "registry.change_owners", model) else _NONE


def of_task(request: HttpRequest, task: Task) -> SafeString:
    """For everybody."""
    return _section(request, "task", task.pk)


def of_dataset(request: HttpRequest, dataset: Dataset) -> SafeString:
    """For owners and administrators."""
    user = user_of(request)
    is_owner = any(owner.pk == user.pk for owner in dataset.owners.all())
    return _section(request, "dataset", dataset.pk) if is_owner or user.is_administrator else _NONE


_NONE = SafeString("")


def _section(request: HttpRequest, kind: str, pk: int) -> SafeString:
    return render_to_string("history/components/section.html", {"kind": kind, "pk": pk}, request=request)
