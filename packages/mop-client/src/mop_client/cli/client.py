"""HTTP calls to a MOP server. Nothing else of the CLI's model commands touches the server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from mop.errors import CATALOGUE, MopError, NotAuthenticatedError, NotFoundError, ValidationFailedError, from_dict
from mop_client.cli.failures import CommandError, RequestRefusedError, ServerUnreachableError
from mop_client.cli.near_names import listing, listing_of_fields, names, suggestion
from mop_client.credentials import Credentials

PAGE = 100
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class Server:
    """One server's REST API, as one user."""

    def __init__(self, credentials: Credentials, *, seconds: float | None = None) -> None:
        self.url = credentials.url
        self._is_guessing = False
        self._http = httpx.Client(
            base_url=f"{credentials.url}/api/v1",
            headers={"Authorization": f"Bearer {credentials.token}", "Accept": "application/json"},
            timeout=TIMEOUT if seconds is None else httpx.Timeout(seconds),
            follow_redirects=False,  # a token must not follow a redirect to another server
        )

    def get(self, *path: str, **params: Any) -> Any:
        """The JSON of a GET; parameters that are None are left out."""
        return self._call("GET", path, params={key: value for key, value in params.items() if value is not None})

    def get_text(self, *path: str, **params: Any) -> str:
        """The text of a GET, whatever its media type."""
        return self._answer("GET", path, params=params).text

    @contextlib.contextmanager
    def stream(self, *path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """The successful answer to a GET whose content is read while it comes.

        Raises:
            ServerUnreachableError: the connection broke, also while it is read.
        """
        address = "/" + "/".join(quote(part, safe="") for part in path)
        try:
            with self._http.stream("GET", address, headers=headers) as response:
                if not response.is_success:
                    response.read()
                    raise self._with_suggestion(error_of(response), path)
                yield response
        except httpx.HTTPError as error:
            raise ServerUnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error

    def get_with(self, headers: dict[str, str], *path: str) -> Any:
        """The JSON of a GET with further headers."""
        return self._call("GET", path, headers=headers)

    def pages(self, *path: str, **params: Any) -> list[dict[str, Any]]:
        """The items of every page of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(*path, limit=PAGE, cursor=cursor, **params)
            items += page["items"]
            cursor = page.get("next")
            if not cursor:
                return items

    def post(self, *path: str, body: Any = None) -> Any:
        """The JSON of a POST."""
        return self._call("POST", path, json=body)

    def patch(self, *path: str, body: Any) -> Any:
        """The JSON of a PATCH."""
        return self._call("PATCH", path, json=body)

    def put(self, *path: str, body: Any = None) -> Any:
        """The JSON of a PUT, None where the answer is empty."""
        return self._call("PUT", path, json=body)

    def delete(self, *path: str) -> Any:
        """The JSON of a DELETE, None where the answer is empty."""
        return self._call("DELETE", path)

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def _call(self, method: str, path: tuple[str, ...], **kwargs: Any) -> Any:
        response = self._answer(method, path, **kwargs)
        if response.status_code == HTTPStatus.NO_CONTENT or not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            address = response.request.url.path
            raise ServerUnreachableError(f"{self.url} answered {address} with something that is not JSON.") from error

    def _answer(self, method: str, path: tuple[str, ...], **kwargs: Any) -> httpx.Response:
        """A successful answer."""
        address = "/" + "/".join(quote(part, safe="") for part in path)
        try:
            response = self._http.request(method, address, **kwargs)
        except httpx.HTTPError as error:
            raise ServerUnreachableError(f"{self.url}: {type(error).__name__}: {error}") from error
        if not response.is_success:
            raise self._with_suggestion(error_of(response), path)
        return response

    def _with_suggestion(self, error: MopError | CommandError, path: tuple[str, ...]) -> MopError | CommandError:
        """The error; where nothing is found under a name, with the names that may be meant, or what lists them."""
        if isinstance(error, NotAuthenticatedError) and error.hint == error.default_hint:
            error.hint = "`mop login` keeps a token that you made in the portal; MOP_TOKEN is used before it."
        if isinstance(error, ValidationFailedError):
            error.hint = error.hint or listing_of_fields(error.fields)
            if not error.hint and "valid UUID" in error.message:  # the name of something, in the address
                error.hint = self._listing(path, error)
        if isinstance(error, NotFoundError) and not self._is_guessing:
            self._is_guessing = True  # what is asked for the guess needs none itself
            try:
                found = [suggestion(self, path)]
                found.append(error.hint if error.hint != error.default_hint else self._listing(path, error))
            finally:
                self._is_guessing = False
            error.hint = " ".join(part for part in found if part) or error.default_hint
        return error

    def _listing(self, path: tuple[str, ...], error: MopError) -> str:
        """The command that lists what was not found; of a model that is not seen itself, that of models."""
        is_model = path[2:3] == ("revisions",) and not names(self, path[:3])
        return listing(path[:2] if is_model else path, error.message)


def error_of(response: httpx.Response) -> MopError | CommandError:
    """The error of an answer: the catalogue's where the body is problem+json, else one by its status."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and body.get("name") in CATALOGUE:
        error = from_dict(body)
        if isinstance(body.get("fields"), dict) and hasattr(error, "fields"):
            error.fields = {
                str(name): [str(message) for message in messages] for name, messages in body["fields"].items()
            }
        return error
    message = f"{response.request.url.path} answered {response.status_code} {response.reason_phrase}."
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return NotAuthenticatedError(message)
    if response.is_client_error:
        return RequestRefusedError(message)
    return ServerUnreachableError(message)
