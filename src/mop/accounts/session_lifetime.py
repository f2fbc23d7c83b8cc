"""Sessions end: some time after the last click, and at last some time after signing in."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from mop.accounts.access_ends import end_sessions
from mop.accounts.addresses import client_address
from mop.accounts.models import SignIn, User
from mop.accounts.selectors import GRAIN_SECONDS
from mop.accounts.services import actor_of

BEGAN, SEEN, KEY = "mop_began", "mop_seen", "mop_key"
POLLED_PREFIX = "/live/"  # an open page asks there by itself; that is no sign of a person


def begin(request: HttpRequest, **_arguments: object) -> None:
    """Note when a session began, and list it among its person's; receives `user_logged_in`."""
    request.session[BEGAN] = request.session[SEEN] = time.time()
    _list(request)
    too_old = timezone.now() - dt.timedelta(seconds=settings.MOP_SESSION_MAX_SECONDS)
    SignIn.objects.filter(user_id=request.session[SESSION_KEY], created_at__lt=too_old).delete()


def end(request: HttpRequest, **_arguments: object) -> None:
    """Take a session off the list; receives `user_logged_out`."""
    SignIn.objects.filter(session_key=request.session.get(KEY, "")).delete()


def end_others(request: HttpRequest, user: User, **_arguments: object) -> None:
    """End a person's other sessions when they change their password; receives `password_changed`."""
    _list(request)
    end_sessions(
        actor=actor_of(user, client_address(request)),
        user=user,
        keep=request.session.session_key or "",
        why="a new password",
    )


def _list(request: HttpRequest) -> None:
    session = request.session
    if not session.session_key:
        session.save()  # it gets its key
    seen = {
        "user_id": session[SESSION_KEY],
        "session_key": session.session_key,
        "seen_at": timezone.now(),
        "address": client_address(request),
        "browser": request.headers.get("User-Agent", "")[:200],
    }
    SignIn.objects.update_or_create(session_key=session.get(KEY, session.session_key), defaults=seen)
    session[KEY] = session.session_key


class SessionLifetimeMiddleware:
    """Ends sessions that are idle or old; the view then finds nobody signed in."""

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
            elif KEY not in session or (now - seen > GRAIN_SECONDS and not request.path.startswith(POLLED_PREFIX)):
                session[SEEN] = now
                _list(request)
        response = self._get_response(request)
        # a new password gives the session a new key
        if session.get(KEY) not in {None, session.session_key} and SESSION_KEY in session:
            _list(request)
        return response
