"""API of what an installation counts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from mop.accounts.access import caller_of
from mop.accounts.rules import authorise
from mop.insights.metrics import text
from mop.prometheus_text import MEDIA_TYPE

router = Router(tags=["metrics"])


@router.get("/metrics")
def get_metrics(request: HttpRequest) -> HttpResponse:
    """Workers, disk, alerts and all durable work by state, in Prometheus' text format. Administrators only."""
    authorise(caller_of(request).user, "notifications.operate", what="read what the installation counts")
    return HttpResponse(text(), content_type=MEDIA_TYPE)
