"""What datasets show on the page of a task."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.datasets.documents import request_of
from mop.datasets.selectors import bindings_of, open_requests, requests_around
from mop.datasets.states import BindingState

SHOWN_MAX = 100


def connection_requests(request: HttpRequest, task: Task) -> SafeString:
    """Datasets that wait for an owner of the task; nothing for others."""
    user = user_of(request)
    if not may(user, "datasets.view_requests", task):
        return SafeString("")
    waiting = list(open_requests(task)[:SHOWN_MAX])
    context = {
        "task": task,
        "requests": [(binding, request_of(user, binding)) for binding in waiting],
        "may_decide": may(user, "datasets.decide", task),
    }
    return render_to_string("datasets/components/requests.html", context, request=request)


def my_requests(request: HttpRequest, user: User) -> SafeString:
    """On a person's own page: what waits for their decision, and what they asked for and waits for others."""
    found: list[Any] = list(requests_around(user)[: 2 * SHOWN_MAX])
    context = {
        "waiting": [binding for binding in found if binding.waiting][:SHOWN_MAX],
        "asked": [binding for binding in found if binding.asked][:SHOWN_MAX],
    }
    return render_to_string("datasets/components/my_requests.html", context, request=request)


def approved_datasets(request: HttpRequest, task: Task) -> SafeString:
    """The datasets that models of the task are measured on."""
    user = user_of(request)
    approved = list(bindings_of(task).filter(state=BindingState.APPROVED)[:SHOWN_MAX])
    context = {
        "task": task,
        "bindings": [(binding, binding.dataset.get_status()) for binding in approved],
        "may_decide": may(user, "datasets.decide", task),
    }
    return render_to_string("datasets/components/approved.html", context, request=request)
