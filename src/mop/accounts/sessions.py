"""Sessions of the portal: the session and who is behind it come by one query. Named in the settings SESSION_ENGINE."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth import get_user as ask_for_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.db.models import Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from mop.accounts.models import User


class SessionStore(db.SessionStore):
    """Django's session in the database, read together with the person whose session it is listed as."""

    person: User | None = None

    def load(self) -> dict[str, Any]:
        """What the session holds, by one query; by another where nobody is signed in."""
        rows = self.model.objects.filter(pk=self.session_key, expire_date__gt=timezone.now())
        listed: Any = User.objects.filter(sign_ins__session_key=self.session_key)
        self.person = listed.annotate(session_data=Subquery(rows.values("session_data"))).order_by().first()
        data = getattr(self.person, "session_data", None)
        return super().load() if data is None else self.decode(data)


class SignedInMiddleware(AuthenticationMiddleware):
    """Django's, without a query of its own where the session came with its person."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request its user, who is looked up when first asked for."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]


def _user_of(request: HttpRequest) -> User | AnonymousUser:
    if not hasattr(request, "_cached_user"):
        person = _person_of(request)
        # whatever is unusual is Django's to judge: it ends a session that it does not take
        request._cached_user = person if person is not None else ask_for_user(request)  # type: ignore[attr-defined] # noqa: SLF001 - Django's own place for it
    return request._cached_user  # type: ignore[attr-defined,no-any-return] # noqa: SLF001 - as above


def _person_of(request: HttpRequest) -> User | None:
    """The person who came with the session, where it is theirs by the same checks as Django's."""
    session = request.session
    key, path = session.get(SESSION_KEY), session.get(BACKEND_SESSION_KEY)
    person = getattr(session, "person", None)
    if person is None or str(person.pk) != key or path not in settings.AUTHENTICATION_BACKENDS:
        return None
    may_sign_in = getattr(load_backend(path), "user_can_authenticate", None)
    if may_sign_in is None or not may_sign_in(person):
        return None
    given = session.get(HASH_SESSION_KEY)
    return person if given and constant_time_compare(given, person.get_session_auth_hash()) else None
