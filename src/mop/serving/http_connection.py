"""One HTTP/1.1 connection of the front: requests in, answers out, no task and no dictionary of ASGI between.

uvicorn listens, counts connections and drains them at the end; this is the protocol class that it uses. It parses with
httptools, hands each complete request to the application as an `Exchange`, and writes an answer in one go. Requests
that were sent ahead wait their turn. What a caller can do to the front is bounded: connections, bytes of a head, bytes
of a body, time without a complete request, answers that it does not read.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools

from mop.errors import InvalidRequestError, MopError, QueueFullError, TooManyConnectionsError
from mop.serving.exchange import Application, Exchange, Headers, HttpError
from mop.serving.upgrade_offer import ParserAfterOffer, new_parser, offers_another_protocol

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

KEEP_ALIVE_S = 75.0
SHORTEST_TIMER_S = 0.001
LARGEST_HEAD_BYTES = 1 << 16
PARSED_AT_ONCE = 1 << 14
END_OF_HEAD = b"\r\n\r\n"
STATUS_LINES = {int(status): b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
# RFC 9110, 8.6: an answer of this status has no content, and does not tell its length
NO_CONTENT = int(HTTPStatus.NO_CONTENT)


class HttpConnection(asyncio.Protocol):
    """One connection; the constructor's arguments are uvicorn's."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002 - uvicorn's signature
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app: Application = config.loaded_app  # ours instead of an ASGI application
        self._connections: set[Any] = server_state.connections
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = new_parser(self)
        self._reading: Exchange | None = None
        self._headers: dict[bytes, bytes] = {}  # of the same, which has several of them
        self._head_bytes = 0
        self._unparsed = memoryview(b"")
        self._waiting: deque[Exchange] = deque()
        self._active: Exchange | None = None
        self._closing = False
        self._one_too_many = False
        self._writable = True
        self._paused = False
        self._touched = time.perf_counter()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it at once when far too many are open."""
        self._transport = transport  # type: ignore[assignment]  # a stream server's transport
        self._connections.add(self)
        self._app.connections = len(self._connections)
        if self._app.connections > 2 * self._app.max_connections:
            self._transport.abort()
            return
        self._one_too_many = self._closing = self._app.connections > self._app.max_connections
        self._timer = self._loop.call_later(KEEP_ALIVE_S, self._check_idle)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the caller is gone, whyever
        """The handlers of its requests are told."""
        self._connections.discard(self)
        self._app.connections = len(self._connections)
        if self._timer is not None:
            self._timer.cancel()
        if self._reading is not None:
            self._end_of_body(self._reading)
        self._waiting.clear()
        active, self._active = self._active, None
        if active is not None and active.on_gone is not None:
            active.on_gone()
            active.on_gone = None

    def _check_idle(self) -> None:
        """One timer a connection, not one a request."""
        left = self._touched + KEEP_ALIVE_S - time.perf_counter() if self._active is None else KEEP_ALIVE_S
        if left <= 0:
            self._transport.abort()  # closing would wait for a caller who does not read
            return
        self._timer = self._loop.call_later(left + SHORTEST_TIMER_S, self._check_idle)

    def data_received(self, data: bytes) -> None:
        """Parse; the `on_` methods below are called with the parts."""
        first = 0
        if not self._unparsed and not self._waiting:
            if len(data) <= self._parsed_at_once:
                self._feed(data)
                return
            if self._reading is None and (end := data.find(END_OF_HEAD, 0, PARSED_AT_ONCE)) >= 0:
                # the head alone: it announces the body, which then comes in one piece and is copied once
                first = end + len(END_OF_HEAD)
        self._unparsed = memoryview(bytes(self._unparsed) + data if self._unparsed else data)
        self._parse(first)

    @property
    def _parsed_at_once(self) -> int:
        """Bytes that cannot begin many requests: a few, or what an announced body still lacks."""
        return PARSED_AT_ONCE if self._reading is None else max(PARSED_AT_ONCE, self._reading.missing)

    def _parse(self, first: int = 0) -> None:
        """As much as does not make requests wait: what was sent ahead stays in one piece until its turn.

        Args:
            first: bytes that are parsed by themselves, before the others.
        """
        while self._unparsed and not self._waiting and not self._transport.is_closing():
            size, first = first or self._parsed_at_once, 0
            part, self._unparsed = self._unparsed[:size], self._unparsed[size:]
            self._feed(part)

    def _feed(self, data: bytes | memoryview) -> None:
        before = self._reading
        try:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as end_of_head:
                self._parse_past_offers(data, end_of_head)
        except httptools.HttpParserUpgrade:
            self._closing = True  # the request itself is answered; what follows is in no protocol that we speak
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError as error:
            self._give_up(HTTPStatus.BAD_REQUEST, f"This is not HTTP/1.1: {error}.")
            return
        if before is not None and self._reading is before and not before.method:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD_BYTES:
                message = f"The head has more than {LARGEST_HEAD_BYTES} bytes."
                self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, message)

    def _parse_past_offers(self, data: bytes | memoryview, end_of_head: httptools.HttpParserUpgrade) -> None:
        while True:
            exchange = self._reading
            if exchange is None or not offers_another_protocol(self._parser, exchange):
                raise end_of_head
            data = data[end_of_head.args[0] :]
            version, after = self._parser.get_http_version(), ParserAfterOffer(self)
            self._parser = after.parser
            after.give_head(exchange, version=version)
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as end_of_next:
                end_of_head = end_of_next
            else:
                return

    def _give_up(self, status: HTTPStatus, message: str) -> None:
        """Nothing that follows on this connection can be understood; what came before is still answered."""
        self._closing = True
        self._pause()
        self._unparsed = memoryview(b"")
        exchange = self._reading or Exchange(self, time.perf_counter())
        self._reading = None
        self._end_of_body(exchange)
        if exchange.cut:  # it is answered already
            self._close_when_idle()
            return
        exchange.refusal = HttpError(status, InvalidRequestError(message))
        self._waiting.append(exchange)
        self._next()

    def on_message_begin(self) -> None:
        self._touched = time.perf_counter()
        self._head_bytes = 0
        self._reading = exchange = Exchange(self, self._touched)
        self._headers = exchange.headers

    def on_url(self, url: bytes) -> None:
        """Its target, perhaps in parts."""
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    @property
    def _request(self) -> Exchange:
        if self._reading is None:
            raise RuntimeError("the parser told of a part outside a request")
        return self._reading

    def on_headers_complete(self) -> None:
        """Let the application look at the head."""
        exchange = self._request
        exchange.method = self._parser.get_method().decode("latin-1")
        exchange.take_target(exchange.url.decode("latin-1"))
        exchange.refusal = self._refusal(exchange)
        if exchange.cut:
            self._refuse_body()
        elif exchange.headers.get(b"expect", b"").lower() == b"100-continue" and self._idle:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refusal(self, exchange: Exchange) -> HttpError | MopError | None:
        """Why the request will not be looked at."""
        try:
            self._app.begin(exchange)
            exchange.check_announced(self._app.max_request_bytes)
        except (HttpError, MopError) as refusal:
            return refusal
        if self._one_too_many:
            return TooManyConnectionsError(f"{self._app.max_connections} connections are open, the most there may be.")
        return None

    @property
    def _idle(self) -> bool:
        return self._active is None and not self._waiting

    def on_body(self, part: bytes) -> None:
        exchange = self._request
        if not exchange.cut:
            self._take(exchange, part)

    def _take(self, exchange: Exchange, part: bytes) -> None:
        app = self._app
        exchange.take(part, app.max_request_bytes)
        app.receiving_bytes += len(part)
        if app.receiving_bytes > app.max_receiving_bytes and exchange.refusal is None:
            message = (
                f"Bodies of {app.receiving_bytes} bytes are being received; the limit is {app.max_receiving_bytes}."
            )
            exchange.refuse(QueueFullError(message))
        if exchange.cut:
            self._refuse_body()

    def _refuse_body(self) -> None:
        """Answer before the body is here; the rest is read and dropped until the caller sees the answer."""
        self._closing = True
        exchange = self._request
        self._app.receiving_bytes -= exchange.size
        exchange.size = 0
        self._waiting.append(exchange)
        self._next()

    def on_message_complete(self) -> None:
        """The request is complete: its turn comes when those before it are answered."""
        exchange, parser = self._request, self._parser
        upgrade = parser.should_upgrade()
        if upgrade and offers_another_protocol(parser, exchange):
            exchange.keep_alive = parser.should_keep_alive()  # true only now: afterwards the parser has forgotten
            return  # only its head is complete
        self._reading = None
        self._end_of_body(exchange)
        if exchange.cut:  # it is answered already
            self._close_when_idle()
            return
        exchange.keep_alive = not upgrade and parser.should_keep_alive() and parser.get_http_version() == "1.1"
        self._waiting.append(exchange)
        self._next()

    def _close_when_idle(self) -> None:
        if self._idle:
            self._transport.close()

    def _end_of_body(self, exchange: Exchange) -> None:
        if exchange.method:
            self._app.receiving_bytes -= exchange.size
            self._app.received(exchange)

    def _next(self) -> None:
        """Run the next request, one at a time; what a caller sends ahead of that is not read."""
        if self._active is None and self._waiting and self._writable and not self._transport.is_closing():
            self._active = exchange = self._waiting.popleft()
            if exchange.refusal is not None:
                self._app.fail(exchange, exchange.refusal)
            else:
                self._app.run(exchange)
        if self._waiting:
            self._pause()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def respond(self, exchange: Exchange, status: int, media_type: bytes, body: bytes, headers: Headers) -> None:
        """Write one answer and go on with what waits."""
        if exchange is not self._active:
            return
        stays = exchange.keep_alive and not self._closing
        answer = [STATUS_LINES[status]]
        if status != NO_CONTENT:
            answer.append(b"content-type: %b\r\ncontent-length: %d\r\n" % (media_type, len(body)))
        if headers:
            answer += [b"%b: %b\r\n" % header for header in headers]
        answer.append(b"\r\n" if stays else b"connection: close\r\n\r\n")
        if exchange.method != "HEAD":
            answer.append(body)
        self._transport.write(b"".join(answer))
        self._active = None
        self._touched = time.perf_counter()
        if self._waiting:
            self._loop.call_soon(self._next)  # not at once: a thousand that were sent ahead would be a deep stack
        elif stays or self._reading is not None:
            self._resume()
        else:
            self._transport.close()

    def _resume(self) -> None:
        if self._unparsed:
            self._loop.call_soon(self._read_on)
        elif self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _read_on(self) -> None:
        if self._active is None:
            self._parse()
            if not self._unparsed:
                self._resume()

    def pause_writing(self) -> None:
        """The caller does not read its answers: no further one is made."""
        self._writable = False

    def resume_writing(self) -> None:
        """It reads again."""
        self._writable = True
        self._next()

    def shutdown(self) -> None:
        """The service drains: what was received is answered, then the connection is closed. Called by uvicorn."""
        self._closing = True
        self._close_when_idle()
