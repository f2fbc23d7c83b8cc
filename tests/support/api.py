"""Calling the API in process."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client


class Api:
    """Calls with a token (or a session, or nothing); bodies go as JSON."""

    def __init__(self, *, token: str = "", client: Client | None = None) -> None:
        self.client = client or Client()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> HttpResponse:
        """The raw answer."""
        return self.client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            "application/json",
            query_params=query or None,
            headers=self._headers,
        )

    def get(self, path: str, **query: Any) -> HttpResponse:
        """GET."""
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any = None) -> HttpResponse:
        """POST."""
        return self.call("POST", path, body)

    def put(self, path: str, body: Any) -> HttpResponse:
        """PUT."""
        return self.call("PUT", path, body)

    def patch(self, path: str, body: Any) -> HttpResponse:
        """PATCH."""
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> HttpResponse:
        """DELETE."""
        return self.call("DELETE", path)
