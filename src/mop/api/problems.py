"""Every error of the API as `application/problem+json`, under its catalogue name."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from mop.engine.full_disks import full_disk
from mop.errors import (
    InvalidRequestError,
    MopError,
    NotAuthenticatedError,
    NotFoundError,
    RequestTooLargeError,
    TooManyRequestsError,
    ValidationFailedError,
)
from mop.ui.templatetags.mop_ui import error_docs

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
_CHOICE = "Input should be "


class Problem(Schema):
    """What went wrong, by RFC 9457, with the catalogue's name and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    name: str
    message: str
    hint: str
    place: str | None = None
    also: list[str] = []
    fields: dict[str, list[str]] | None = None


def problem_response(error: MopError) -> HttpResponse:
    """The answer that tells of an error."""
    body = {**error.to_problem(), "type": page_of(error.name)}
    response = HttpResponse(orjson.dumps(body), status=int(error.http_status), content_type=CONTENT_TYPE)
    if isinstance(error, NotAuthenticatedError):
        response["WWW-Authenticate"] = 'Bearer realm="MOP"'
    if isinstance(error, TooManyRequestsError) and error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def page_of(name: str) -> str:
    """The section of the portal's guide that explains an error: a whole address where the portal knows its own."""
    return f"{settings.PUBLIC_URL}{error_docs(name)}"


def bug_response(error: BaseException | None) -> HttpResponse:
    """The answer to a failure that nobody expected; a full disk is named, whatever failed because of it."""
    return problem_response(full_disk(error) or MopError("MOP failed; its log says why.", hint="Tell the operator."))


def answer_with_problems(api: NinjaAPI) -> None:
    """Let every expected failure of the API's operations become a problem."""

    @api.exception_handler(MopError)
    def _expected(_request: HttpRequest, error: MopError) -> HttpResponse:
        return problem_response(error)

    @api.exception_handler(AuthenticationError)
    def _nobody(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return problem_response(NotAuthenticatedError("Nobody is signed in."))

    @api.exception_handler(ValidationError)
    def _fields(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        return problem_response(_validation_failed(error.errors))

    @api.exception_handler(RequestDataTooBig)
    def _too_big(_request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return problem_response(RequestTooLargeError(str(error), hint="Send a smaller body."))

    @api.exception_handler(HttpError)
    def _body(request: HttpRequest, error: HttpError) -> HttpResponse:
        # ninja wraps whatever reading the body raised
        cause = error.__cause__
        if isinstance(cause, MopError | RequestDataTooBig):
            return api.on_exception(request, cause)
        return problem_response(InvalidRequestError(error.message))

    @api.exception_handler(Exception)
    def _bug(request: HttpRequest, error: Exception) -> HttpResponse:
        fault = full_disk(error)
        if fault is not None:
            logger.error("%s %s: %s", request.method, request.path, fault.message)
            return problem_response(fault)
        logger.error("%s %s failed", request.method, request.path, exc_info=error)
        got_request_exception.send(sender=None, request=request)  # what Django does with a bug of a view
        return bug_response(error)

    @api.exception_handler(Http404)
    def _missing(_request: HttpRequest, _error: Http404) -> HttpResponse:
        return problem_response(NotFoundError("There is nothing at this address."))


def _validation_failed(errors: list[dict[str, Any]]) -> ValidationFailedError:
    fields: dict[str, list[str]] = {}
    for error in errors:
        where, *path = (str(part) for part in error["loc"])
        field, is_choice = _field(where, path)
        messages = fields.setdefault(field, [])
        message = str(error["msg"])
        if is_choice and messages and message.startswith(_CHOICE):
            messages[-1] += f", or {message.removeprefix(_CHOICE)}"
        else:
            messages.append(message)
    text = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
    return ValidationFailedError(text, fields=fields)


def _field(where: str, path: list[str]) -> tuple[str, bool]:
    """The name under which the caller gave a field, and whether the error is that of one of several types.

    ("body", "body", "sample") → sample;  ("query", "limit") → limit; a field may be called path.
    ("query", "filters", "status", "literal['all']") → status: pydantic adds the type that was tried, and ninja the
    argument that gathers the query.
    """
    if where == "body" and path[:1] == ["body"]:
        path = path[1:]
    types = [number for number, part in enumerate(path) if "[" in part]
    named = path[: types[0]] if types else path
    if where == "query" and types and len(named) > 1:
        named = named[1:]
    return ".".join(named) or "body", bool(types)
