"""Addresses below /api/."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from mop.api.api import api
from mop.api.problems import problem_response
from mop.errors import InvalidRequestError, MethodNotAllowedError, NotFoundError

View = Callable[..., HttpResponseBase]


def _guarded(view: View) -> View:
    """A view that answers problems where ninja itself answers plain text, and never sees a NUL character."""

    @csrf_exempt  # what a session writes is checked by SessionAuthentication, and answered as a problem
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return problem_response(InvalidRequestError("The address holds a NUL character."))
        try:
            response = view(request, *args, **kwargs)
        except Http404:  # the root's own view has no operation that would answer it
            return unknown(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        refused = problem_response(
            MethodNotAllowedError(f"{request.path} does not take {request.method}; it takes {response['Allow']}.")
        )
        refused["Allow"] = response["Allow"]
        return refused

    return answer


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Tell that no such address exists."""
    return problem_response(NotFoundError(f"There is nothing at {request.path}.", hint="See /api/v1/docs."))


_patterns, _app_name, _namespace = api.urls
for _pattern in _patterns:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = _guarded(_pattern.callback)

urlpatterns = [
    path("v1/", (_patterns, _app_name, _namespace)),
    re_path(r"", unknown),
]
