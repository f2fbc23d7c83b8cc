"""What a supervisor or a load balancer asks of the portal: does it live, and can it answer people? Nobody signs in."""

from __future__ import annotations

import logging
from http import HTTPStatus

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from mop.engine.worker_registry import names_of_living_workers

logger = logging.getLogger(__name__)


@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """This process answers. It asks nothing else, so that no restart is the answer to a database that is away."""
    return JsonResponse({"status": "alive"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """The database answers, so pages do; how many workers live is told, since without one pages do all the same."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        workers = len(names_of_living_workers())
    except (Error, OSError) as error:
        logger.warning("not ready: %s", error)
        return JsonResponse({"status": "not ready", "workers": None}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"status": "ready", "workers": workers})
