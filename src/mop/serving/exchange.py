"""What passes between a connection and what answers its requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Protocol

from mop.errors import MopError, QueueFullError, RequestTooLargeError

Headers = Iterable[tuple[bytes, bytes]]
_CUTS = (RequestTooLargeError, QueueFullError)
_AUTHORITY = re.compile(r"https?://[^/?#]+", re.IGNORECASE)


class HttpError(Exception):
    """A request that fails before the service looks at it, with its own status."""

    def __init__(self, status: HTTPStatus, error: MopError, headers: Headers = ()) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = list(headers)


class Application(Protocol):
    """What answers requests."""

    max_request_bytes: int
    max_receiving_bytes: int
    max_connections: int
    connections: int
    receiving_bytes: int

    def begin(self, exchange: Exchange) -> None:
        """The head is here.

        Raises:
            HttpError, MopError: why the request will not be looked at.
        """

    def received(self, exchange: Exchange) -> None:
        """The body is here, or never will be; called once for each `begin`."""

    def run(self, exchange: Exchange) -> None:
        """Answer now or later, by `respond` or `fail`; `exchange.on_gone` is called when the caller gives up."""

    def fail(self, exchange: Exchange, error: HttpError | MopError) -> None:
        """Answer with an error."""


class Connection(Protocol):
    """Where an answer goes."""

    def respond(self, exchange: Exchange, status: int, media_type: bytes, body: bytes, headers: Headers) -> None:
        """Write it; nothing happens when the caller has gone."""


class Exchange:
    """One request, and the way to answer it.

    Attributes:
        method, path, query: of the request line; `url` is its target as it came.
        headers: names in lower case; of a repeated one the last.
        body: complete when the application runs it.
        size: bytes of the body that came so far; 0 again when it is not waited for.
        announced: bytes that the head announces; 0 if it does not.
        started: when its first byte was here, in seconds of time.perf_counter().
        refusal: why it will not be looked at; its body is not kept.
        on_gone: called when the caller gave up before the answer.
    """

    __slots__ = (
        "_connection",
        "announced",
        "body",
        "headers",
        "keep_alive",
        "method",
        "on_gone",
        "path",
        "query",
        "refusal",
        "size",
        "started",
        "url",
    )

    def __init__(self, connection: Connection, started: float) -> None:
        self._connection = connection
        self.body: bytes | bytearray = b""
        self.size = 0
        self.announced = 0
        self.started = started
        self.method = ""
        self.url = b""
        self.path = ""
        self.query = ""
        self.headers: dict[bytes, bytes] = {}
        self.keep_alive = False
        self.refusal: HttpError | MopError | None = None
        self.on_gone: Callable[[], object] | None = None

    def take_target(self, target: str) -> None:
        """Path and query of the request's target, also in absolute form, in which it names the server as well.

        RFC 9112, 3.2.2: a server must accept it, though only callers of proxies send it.
        """
        if not target.startswith("/") and (absolute := _AUTHORITY.match(target)):
            rest = target[absolute.end() :]
            target = rest if rest.startswith("/") else f"/{rest}"
        self.path, _, self.query = target.partition("?")

    def check_announced(self, limit: int) -> None:
        """Read the announced length of the body, and refuse one that is over the limit.

        Raises:
            RequestTooLargeError: it is over the limit.
        """
        announced = self.headers.get(b"content-length", b"0")
        self.announced = int(announced) if announced.isdigit() else 0
        if self.announced > limit:
            raise RequestTooLargeError(f"The body has {self.announced} bytes; the limit is {limit}.")

    def take(self, part: bytes, limit: int) -> None:
        """Add to the body, unless the request is refused; a body over the limit is."""
        self.size += len(part)
        if self.size > limit:
            self.refuse(RequestTooLargeError(f"The body has more than {limit} bytes, the limit."))
        if self.refusal is not None:
            return
        if not self.body:
            self.body = part
            return
        if isinstance(self.body, bytes):
            self.body = bytearray(self.body)  # grows in place: parts that are joined at the end stand there twice
        self.body += part

    def refuse(self, refusal: MopError) -> None:
        """It will not be looked at, and what came of it is not kept."""
        self.refusal = refusal
        self.body = b""

    @property
    def cut(self) -> bool:
        """Whether the body must not be waited for."""
        return self.refusal is not None and isinstance(self.refusal, _CUTS)

    @property
    def missing(self) -> int:
        """Bytes of an announced body that are still to come."""
        return self.announced - self.size

    def respond(self, status: int, media_type: bytes, body: bytes, headers: Headers = ()) -> None:
        """Send the answer; nothing happens when the caller has gone."""
        self.body = b""
        self.on_gone = None  # it refers to this exchange: without it the body's memory waits for the collector
        self._connection.respond(self, status, media_type, body, headers)
