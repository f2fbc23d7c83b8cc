"""Signed-in clients that send forms as a browser does."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from mop.accounts.models import User


def client_of(user: User) -> Client:
    """A browser in which the user is signed in; it checks CSRF as a real one does."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


class Session:
    """Somebody's session, or nobody's: signed in once, for clients that each begin as it was then."""

    def __init__(self, user: User | None = None) -> None:
        self._handler = ClientHandler(enforce_csrf_checks=False)  # with the middleware, which takes time to make
        self._cookies: dict[str, str] = {}
        if user is not None:
            client = Client()
            client.force_login(user)
            client.get("/errors/")  # the first request of a session lists it
            self._cookies = {name: cookie.value for name, cookie in client.cookies.items()}

    def client(self) -> Client:
        """A new client."""
        client = Client()
        client.handler = self._handler
        client.cookies = SimpleCookie(self._cookies)
        return client


def form_token(client: Client, url: str) -> str:
    """The CSRF token that the page at `url` puts into its forms."""
    client.get(url)
    return client.cookies["csrftoken"].value


def send(client: Client, url: str, data: dict[str, Any] | None = None, *, form: str | None = None) -> HttpResponse:
    """Post a form as the page at `form` (default: `url` itself) would."""
    token = form_token(client, form or url)
    return client.post(url, {**(data or {}), "csrfmiddlewaretoken": token})
