"""What is answered when something fails outside of the views: in the session, the sign-in, or a middleware."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error as default_server_error

from mop.api.problems import bug_response
from mop.engine.full_disks import full_disk
from mop.ui.middleware import API_PREFIX, render_full_disk


def server_error(request: HttpRequest) -> HttpResponse:
    """A problem document of the API, the page of a full disk, or the page of a bug. Django calls it in its `except`."""
    error = sys.exc_info()[1]
    if request.path.startswith(API_PREFIX):
        return bug_response(error)
    fault = full_disk(error)
    return default_server_error(request) if fault is None else render_full_disk(request, fault)
