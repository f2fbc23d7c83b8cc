"""Metrics as files."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.evaluation.exports import format_of, lines_of
from mop.evaluation.standing import evaluations_of_model, get_evaluation
from mop.registry.selectors import get_model, get_revision

EVALUATIONS_MAX = 1000


@require_GET
def of_model(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """All metrics of all results of a model that the reader sees, at most 1,000 results."""
    user = user_of(request)
    model = get_model(user, name)
    found = format_of(kind)
    rows = evaluations_of_model(user, model).filter(measured_at__isnull=False).select_related("result")
    lines = lines_of(rows.order_by("dataset__name", "task__name", "-created_at")[:EVALUATIONS_MAX].iterator(50))
    return _file(found.write(lines), found.media_type, f"{name}-metrics.{kind}")


@require_GET
def of_evaluation(request: HttpRequest, name: str, version: str, task_id: int, dataset: str, kind: str) -> HttpResponse:
    """All metrics of one result."""
    user = user_of(request)
    found = format_of(kind)
    evaluation = get_evaluation(user, get_revision(user, name, version), task=task_id, dataset=dataset)
    content = found.write(lines_of([evaluation]))
    return _file(content, found.media_type, f"{name}-{version}-{dataset}-metrics.{kind}")


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
