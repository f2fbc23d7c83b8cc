"""Signed-in clients that send forms as a browser does."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from mop.accounts.models import User


def client_of(user: User) -> Client:
    """A browser in which the user is signed in; it checks CSRF as a real one does."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def form_token(client: Client, url: str) -> str:
    """The CSRF token that the page at `url` puts into its forms."""
    client.get(url)
    return client.cookies["csrftoken"].value


def send(client: Client, url: str, data: dict[str, Any] | None = None, *, form: str | None = None) -> HttpResponse:
    """Post a form as the page at `form` (default: `url` itself) would."""
    token = form_token(client, form or url)
    return client.post(url, {**(data or {}), "csrfmiddlewaretoken": token})
