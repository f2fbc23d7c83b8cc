"""The two requests of an OSV service, each answer bounded and checked before anything of it is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson

from mop.deferred import deferred
from mop.scanning.dependencies.packages import Package
from mop.scanning.dependencies.records import ECOSYSTEM, RECORD_BYTES_MAX, Advisory, read_identifier, read_record

if TYPE_CHECKING:
    import httpx
else:
    httpx = deferred("httpx")

QUERIES_MAX = 1000
"""As many as the service takes at once."""
ANSWER_BYTES_MAX = 16 * 1024**2
ALL_BYTES_MAX = 256 * 1024**2
_PAGES_MAX = 20
_TEXT_LENGTH_MAX = 4096
_PASSING = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_SECONDS, _CONNECT_SECONDS = 10.0, 4.0

Key = tuple[str, str]
"""An advisory's identifier and the text of its last change."""


class ServiceError(Exception):
    """The service could not be asked, or does not speak as it should; the text says why."""


class AnswerError(ServiceError):
    """It answered, and the answer is none; `is_passing` when it asks to be left alone for a while."""

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class RecordError(Exception):
    """The service works, and one record cannot be had; the text says why."""


@dataclass(frozen=True)
class Named:
    """Identifiers of the advisories of each package; `cut` are packages with more pages of them than are read."""

    keys: dict[Package, frozenset[Key]]
    cut: frozenset[Package]


class OsvRequests:
    """Requests to one service until a moment of the clock; a context manager."""

    def __init__(self, url: str, *, until: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._until = until
        self._clock = clock
        self._left = ALL_BYTES_MAX
        self._http = httpx.Client(
            timeout=httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,  # the operator named one address
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "mop"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.close()

    def name(self, packages: Sequence[Package]) -> Named:
        """Which advisories hold for at most `QUERIES_MAX` packages.

        Raises:
            ServiceError: it did not tell.
        """
        found: dict[Package, set[Key]] = {package: set() for package in packages}
        pending = dict.fromkeys(packages, "")
        for _ in range(_PAGES_MAX):
            if not pending:
                break
            queries = [_query(package, token) for package, token in pending.items()]
            answer = self._json("POST", "/v1/querybatch", {"queries": queries})
            try:
                pages = [_read_page(one) for one in _list(answer, "results")]
                asked = list(zip(pending, pages, strict=True))
            except ValueError as error:
                raise ServiceError(f"{self._url} answered something else than lists of advisories: {error}") from error
            for package, (keys, _) in asked:
                found[package] |= keys
            pending = {package: token for package, (_, token) in asked if token}
        return Named({package: frozenset(keys) for package, keys in found.items()}, frozenset(pending))

    def record(self, identifier: str) -> Advisory:
        """One advisory.

        Raises:
            ServiceError: it did not answer.
            RecordError: it answered that there is none, or with something that is none.
        """
        try:
            data = self._answer("GET", f"/v1/vulns/{identifier}", at_most=RECORD_BYTES_MAX)
        except AnswerError as error:
            if error.is_passing:
                raise
            raise RecordError(f"the advisory {identifier} cannot be had: {error}") from error
        if data is None:
            raise RecordError(f"the service names the advisory {identifier} and does not have it")
        try:
            advisory = read_record(data)
        except ValueError as error:
            raise RecordError(f"the advisory {identifier} cannot be read: {error}") from error
        if advisory.identifier != identifier:
            raise RecordError(f"the service gave another advisory than {identifier}")
        return advisory

    def _json(self, method: str, path: str, body: Any) -> Any:
        data = self._answer(method, path, content=orjson.dumps(body), at_most=ANSWER_BYTES_MAX)
        if data is None:
            raise ServiceError(f"{self._url} has no {path}")
        try:
            return orjson.loads(data)
        except ValueError as error:
            raise ServiceError(f"{self._url} answered no JSON: {error}") from error

    def _answer(self, method: str, path: str, *, at_most: int, content: bytes = b"") -> bytes | None:
        """The body of a 200, None for a 404."""
        data = bytearray()
        try:
            self._check_budget()
            with self._http.stream(
                method, self._url + path, content=content, headers={"Content-Type": "application/json"}
            ) as response:
                if response.status_code == HTTPStatus.NOT_FOUND:
                    return None
                if response.status_code != HTTPStatus.OK:
                    passing = response.status_code in _PASSING
                    raise AnswerError(f"{self._url} answered with status {response.status_code}", is_passing=passing)
                for chunk in response.iter_raw():
                    self._check_budget()
                    data += chunk
                    self._left -= len(chunk)  # threads may miss some of it; the bound need not be exact
                    if len(data) > at_most:
                        raise AnswerError(f"{self._url} answered with more than {at_most:,} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServiceError(f"{self._url} could not be asked ({type(error).__name__})") from error
        return bytes(data)

    def _check_budget(self) -> None:
        if self._clock() > self._until:
            raise ServiceError(f"{self._url} took too long")
        if self._left < 0:
            raise ServiceError(f"{self._url} answered with too much in all")


def _query(package: Package, token: str) -> dict[str, Any]:
    query = {"package": {"ecosystem": ECOSYSTEM, "name": package.name}, "version": package.public_version}
    return {**query, "page_token": token} if token else query


def _read_page(value: object) -> tuple[set[Key], str]:
    if not isinstance(value, dict):
        raise ValueError("a result is no object")  # noqa: TRY004 - one error for all of an answer
    keys = set()
    for one in _list(value, "vulns"):
        if not isinstance(one, dict):
            raise ValueError("an advisory is no object")  # noqa: TRY004
        keys.add((read_identifier(one.get("id")), str(one.get("modified"))[:100]))
    token = value.get("next_page_token") or ""
    if not isinstance(token, str) or len(token) > _TEXT_LENGTH_MAX:
        raise ValueError("a token of a page is no text")
    return keys, token


def _list(value: object, key: str) -> list[Any]:
    items = value.get(key, []) if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise ValueError(f"{key} is no list")  # noqa: TRY004 - one error for all of an answer
    return items
