"""Errors of the catalogue as `application/problem+json`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson

from mop.errors import DeploymentCrashedError, ModelFault, MopError

CONTENT_TYPE = b"application/problem+json"
RETRY_STATUSES = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def status_of(error: MopError) -> int:
    """The HTTP status for a caller of the service: the model's faults are the server's, so 5xx."""
    if isinstance(error, DeploymentCrashedError):
        return HTTPStatus.BAD_GATEWAY
    if isinstance(error, ModelFault):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return error.http_status


def problem_body(error: MopError, status: int) -> bytes:
    """The JSON body; `mop.errors.from_dict` reads it back."""
    body: dict[str, Any] = {"type": f"about:blank#{error.name}", "title": error.title, "status": int(status)}
    return orjson.dumps({**body, **error.to_dict()})
