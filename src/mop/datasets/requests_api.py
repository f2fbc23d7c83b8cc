"""API of connection requests: datasets that ask to be used for a task, decided by the task's owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja import Router

from mop.accounts.access import caller_of
from mop.accounts.rules import authorise
from mop.catalog.selectors import get_task
from mop.datasets.bindings import approve, reject
from mop.datasets.documents import request_of
from mop.datasets.models import Binding
from mop.datasets.schemas import DecisionIn, RequestOut
from mop.datasets.selectors import bindings_of, get_binding

router = Router(tags=["datasets"])


@router.get("/tasks/{path:task}/requests", response=list[RequestOut])
def list_requests(request: HttpRequest, task: str) -> list[dict[str, Any]]:
    """Every dataset that is connected to a task or asks to be. Owners of the task and administrators."""
    user = caller_of(request).user
    found = get_task(task)
    authorise(user, "datasets.view_requests", found, what="see the connection requests of this task")
    return [request_of(user, binding) for binding in bindings_of(found)]


@router.post("/tasks/{path:task}/datasets/{name}/approve", response=RequestOut)
def approve_dataset(request: HttpRequest, task: str, name: str, body: DecisionIn | None = None) -> dict[str, Any]:
    """Let models of the task be measured on the dataset. Owners of the task."""
    return _decide(request, task, name, body, approve)


@router.post("/tasks/{path:task}/datasets/{name}/reject", response=RequestOut)
def reject_dataset(request: HttpRequest, task: str, name: str, body: DecisionIn | None = None) -> dict[str, Any]:
    """Refuse the dataset, or take an approval back. Owners of the task."""
    return _decide(request, task, name, body, reject)


def _decide(
    request: HttpRequest, task: str, name: str, body: DecisionIn | None, decide: Callable[..., Binding]
) -> dict[str, Any]:
    caller = caller_of(request)
    found = get_task(task)
    binding = get_binding(found, name)
    authorise(caller.user, "datasets.decide", found, what="decide about datasets of this task")
    decide(actor=caller.actor, binding=binding, comment=body.comment if body else "")
    return request_of(caller.user, get_binding(found, name))
