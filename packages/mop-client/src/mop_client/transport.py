"""HTTP calls: tries again what may be tried again, and makes errors of problem documents.

A GET, PUT or DELETE may be sent twice. A POST carries an `Idempotency-Key`: a server that took the first one answers
the second with the same answer, so what is created is created once, whatever gets lost on the way.
"""

from __future__ import annotations

import contextlib
import random
import time
import uuid
from http import HTTPStatus
from typing import Any, Callable, Iterator, Mapping
from urllib.parse import quote

import httpx

from mop_client.credentials import Credentials
from mop_client.errors import UnreachableError, error_of

PAGE = 100
TRIES = 4
PAUSE_SECONDS = 0.5
PAUSE_MAX_SECONDS = 30.0
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_AGAIN = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


class Transport:
    """One server's REST API, as one user."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = credentials.url
        self._tries = tries
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=f"{credentials.url}/api/v1",
            headers={"Authorization": f"Bearer {credentials.token}", "Accept": "application/json"},
            timeout=TIMEOUT,
            follow_redirects=False,  # a token must not follow a redirect to another server
            transport=transport,
        )

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def get(self, *path: object, **params: Any) -> Any:
        """The JSON of a GET; parameters that are None are left out."""
        return self._call("GET", path, params={name: value for name, value in params.items() if value is not None})

    def get_text(self, *path: object, **params: Any) -> str:
        """The text of a GET, whatever its media type."""
        response = self._answer("GET", path, params=params)
        if not response.is_success:
            self._read(response)
        return response.text

    @contextlib.contextmanager
    def stream(self, *path: object, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """The successful answer to a GET whose content is read while it comes; it is not asked for again.

        Raises:
            UnreachableError: the connection broke, also while it is read.
        """
        try:
            with self._http.stream("GET", _address(path), headers=dict(headers)) as response:
                if not response.is_success:
                    response.read()
                    self._read(response)
                yield response
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def pages(self, *path: object, **params: Any) -> Iterator[Any]:
        """The items of every page of a list, asked for as they are needed."""
        cursor: str | None = None
        while True:
            page = self.get(*path, limit=PAGE, cursor=cursor, **params)
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return

    def post(self, *path: object, body: Any = None) -> Any:
        """The JSON of a POST, with an idempotency key of its own."""
        return self._call("POST", path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def patch(self, *path: object, body: Any) -> Any:
        """The JSON of a PATCH."""
        return self._call("PATCH", path, json=body)

    def put(self, *path: object, body: Any = None) -> Any:
        """The JSON of a PUT, None where the answer is empty."""
        return self._call("PUT", path, json=body)

    def delete(self, *path: object, **params: Any) -> Any:
        """The JSON of a DELETE, None where the answer is empty; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._call("DELETE", path, params=given)

    def _call(self, method: str, path: tuple[object, ...], **kwargs: Any) -> Any:
        return self._read(self._answer(method, path, **kwargs))

    def _answer(self, method: str, path: tuple[object, ...], **kwargs: Any) -> httpx.Response:
        """What the server answers at last."""
        for number in range(1, self._tries + 1):
            is_last = number == self._tries
            try:
                response = self._http.request(method, _address(path), **kwargs)
            except httpx.HTTPError as error:
                if is_last:
                    raise self._unreachable(error) from error
                self._sleep(_pause(number, None))
                continue
            if response.status_code in _AGAIN and not is_last:
                self._sleep(_pause(number, _retry_after(response)))
                continue
            return response
        raise AssertionError("a last try returns or raises")

    def _unreachable(self, error: httpx.HTTPError) -> UnreachableError:
        return UnreachableError(
            f"{self.url}: {type(error).__name__}: {error}", hint="Check the address, and that the server runs."
        )

    def _read(self, response: httpx.Response) -> Any:
        if response.status_code == HTTPStatus.NO_CONTENT or (response.is_success and not response.content):
            return None
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.is_success and body is not None:
            return body
        if isinstance(body, dict) and not response.is_success:
            raise error_of(response.status_code, body, retry_after_s=_retry_after(response))
        raise UnreachableError(
            f"{response.request.url} answered {response.status_code}, and nothing that a MOP server says.",
            hint="Check that the address is that of a MOP server.",
        )


def _address(path: tuple[object, ...]) -> str:
    return "/" + "/".join(quote(str(part), safe="") for part in path)


def _pause(number: int, asked: int | None) -> float:
    if asked is not None:
        return min(float(asked), PAUSE_MAX_SECONDS)
    return min(PAUSE_SECONDS * 2.0 ** (number - 1), PAUSE_MAX_SECONDS) * (0.5 + random.random() / 2)  # noqa: S311 - jitter


def _retry_after(response: httpx.Response) -> int | None:
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isdigit() else None
