"""Sessions end: some time after the last click, and at last some time after signing in."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse

BEGAN, SEEN = "mop_began", "mop_seen"
GRAIN_SECONDS = 300.0  # a click is written down at most so often: reading pages stays free of writes
POLLED_PREFIX = "/live/"  # an open page asks there by itself; that is no sign of a person


def begin(request: HttpRequest, **_arguments: object) -> None:
    """Note when a session began; receives `user_logged_in`."""
    request.session[BEGAN] = request.session[SEEN] = time.time()


class SessionLifetimeMiddleware:
    """Signs out whoever's session is idle or old; the view then finds nobody signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """End the session of the request, or note that it is in use."""
        session = request.session
        if SESSION_KEY in session:
            now = time.time()
            # a session from before an upgrade begins now
            began, seen = session.setdefault(BEGAN, now), session.setdefault(SEEN, now)
            is_idle = now - seen > settings.MOP_SESSION_IDLE_SECONDS
            if is_idle or now - began > settings.MOP_SESSION_MAX_SECONDS:
                logout(request)
            elif now - seen > GRAIN_SECONDS and not request.path.startswith(POLLED_PREFIX):
                session[SEEN] = now
        return self._get_response(request)
