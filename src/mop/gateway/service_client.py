"""A model service over HTTP, asked many things at once: connections that are kept, one request on each at a time.

An answer is told at once, without a task or a future: a request costs a few tens of microseconds here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import httptools

from mop.errors import HostLostError, MopError, QueueFullError
from mop.serving.http_client import Response

CONNECTIONS_MAX = 1024
JOINED_BYTES_MAX = 1 << 13  # head and body that are shorter are copied into one piece


Answered = Callable[[Response | MopError], None]
"""Told the answer, HostLostError or QueueFullError."""


class Request:
    """One request on its way."""

    __slots__ = ("_answered", "connection", "data", "is_second_try")

    def __init__(self, data: tuple[bytes, ...], answered: Answered) -> None:
        self.data = data
        self.is_second_try = False
        self.connection: _Connection | None = None
        self._answered: Answered | None = answered

    @property
    def is_over(self) -> bool:
        """Whether it is answered or given up."""
        return self._answered is None

    def finish(self, answer: Response | MopError) -> None:
        """Tell the answer, the first one only."""
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(answer)

    def give_up(self) -> None:
        """Nobody waits for it: the service drops what was asked when the connection ends."""
        self._answered = None
        if self.connection is not None:
            self.connection.abort()


class ServiceClient:
    """Asks one service.

    Args:
        address: `unix:/path/of/socket` or `http://host:port`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._free: deque[_Connection] = deque()
        self._open = 0
        self._connecting: set[asyncio.Task[None]] = set()
        self._closed = False

    def post(self, head: bytes, body: bytes, answered: Answered) -> Request:
        """Send at once.

        Args:
            head: what `head_of` made.
            body: the body.
            answered: told the answer later, never in this call.
        """
        start = b"%b%d\r\n\r\n" % (head, len(body))
        request = Request((start, body) if len(body) > JOINED_BYTES_MAX else (start + body,), answered)
        self._send(request)
        return request

    def close(self) -> None:
        """Close what is free now, and what is in use when it is answered."""
        self._closed = True
        while self._free:
            self._free.pop().close()

    def _send(self, request: Request) -> None:
        while self._free:
            # the last used one: it is the least likely to have been closed by the service
            connection = self._free.pop()
            if connection.is_open:
                connection.send(request)
                return
        if self._open >= CONNECTIONS_MAX:
            error = QueueFullError(f"{CONNECTIONS_MAX} requests wait for the service.")
            self._loop.call_soon(request.finish, error)
            return
        self._open += 1
        task = self._loop.create_task(self._connect(request))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, request: Request) -> None:
        try:
            if self._address.startswith("unix:"):
                path = self._address.removeprefix("unix:")
                _, connection = await self._loop.create_unix_connection(lambda: _Connection(self), path)
            else:
                host, _, port = self._address.removeprefix("http://").rpartition(":")
                _, connection = await self._loop.create_connection(lambda: _Connection(self), host, int(port))
        except OSError as error:
            self._open -= 1
            request.finish(_lost(error))
            return
        connection.send(request)

    def freed(self, connection: _Connection) -> None:
        """It answered, and can be used again."""
        if self._closed:
            connection.close()
        else:
            self._free.append(connection)

    def lost(self, request: Request | None, *, was_used: bool, has_begun: bool) -> None:
        """A connection ended; a service may close a used one without an answer, just as the next request comes."""
        self._open -= 1
        if request is None or request.is_over:
            return
        if was_used and not has_begun and not request.is_second_try:
            request.is_second_try = True
            self._send(request)
        else:
            request.finish(_lost(None))


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._was_used = False
        self._has_begun = False

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a stream

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whyever
        """Tell the client once."""
        request, self._request, self._transport = self._request, None, None
        self._client.lost(request, was_used=self._was_used, has_begun=self._has_begun)

    def send(self, request: Request) -> None:
        """Ask; nothing else is asked until the answer is here."""
        if request.is_over:  # given up while the connection was made
            self._client.freed(self)
            return
        self._request, self._has_begun = request, False
        request.connection = self
        if self._transport is not None:
            if len(request.data) == 1:
                self._transport.write(request.data[0])
            else:
                self._transport.writelines(request.data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it now, whatever it waits for."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """The answer is here."""
        parts, self._parts = self._parts, []
        request, self._request = self._request, None
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        stays = self._parser.should_keep_alive()
        self._was_used = True
        if stays:
            self._client.freed(self)
        else:
            self.close()
        if request is not None:
            request.connection = None
            request.finish(Response(self._parser.get_status_code(), body))


def head_of(path: str, headers: str) -> bytes:
    """The head of requests to a path, up to the length of the body; headers end with a line's end each."""
    return f"POST {path} HTTP/1.1\r\nhost: service\r\n{headers}content-length: ".encode("latin-1")


def _lost(error: Exception | None) -> HostLostError:
    reason = type(error).__name__ if error else "it closed the connection"
    return HostLostError(f"The model service does not answer: {reason}.")
