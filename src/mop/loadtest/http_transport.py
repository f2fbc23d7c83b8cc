"""HTTP/1.1 for load tests: keep-alive connections over TCP, TLS or a unix socket, as many at once as are asked for.

The service is hostile: heads, bodies and waiting connections are bounded, and an answer nobody asked for ends its
connection. A request is sent once more only where every HTTP client does it: on a connection that had been used before
and that the server closed without a byte of an answer. Any other lost connection is a failure that callers have too.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ssl
import time
from typing import Any, cast

import httptools

from mop.errors import LoadTargetUnreachableError
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.exchange import MALFORMED, NS, OWN_LIMIT, RESET, UNREACHABLE, Finished, Ticket

LARGEST_HEAD_BYTES = 1 << 16
LARGEST_ANSWER_BYTES = 1 << 26
LONGEST_IDLE_NS = 4 * NS  # servers close idle connections, often after 5 s; what is sent just then is lost
CONNECT_TIMEOUT_S = 10
PLAIN_ANSWER_S = 5
_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
_now = time.perf_counter_ns
_HEAD_END = b"\r\n\r\n"
_PLAIN_HTTP = b"HTTP/1."
_INFORMATIONAL, _LARGEST_STATUS = 200, 999


class HttpTransport:
    """Carries one request again and again.

    Args:
        endpoint: where to.
        host: its address, resolved once by `find_host`.
    """

    finished: Finished

    def __init__(self, endpoint: Endpoint, host: str) -> None:
        self._endpoint = endpoint
        self._host = host
        self._request = endpoint.request()
        self._tls = tls_context(endpoint)
        self._loop = asyncio.get_running_loop()
        self.idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()

    def send(self, ticket: Ticket) -> None:
        """Send on the connection that was used last, else on a new one."""
        idle = self.idle
        while idle:
            connection = idle.pop()
            if ticket.intended - connection.idle_since < LONGEST_IDLE_NS:
                connection.send(ticket, self._request)
                return
            connection.abort()
        self._send_on_new_connection(ticket)

    def send_once_more(self, ticket: Ticket) -> None:
        """Send on a new connection: the server had closed the idle one when the request came."""
        ticket.retried = True
        self._send_on_new_connection(ticket)

    def _send_on_new_connection(self, ticket: Ticket) -> None:
        task = ticket.carrier = self._loop.create_task(self._connect(ticket))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def withdraw(self, ticket: Ticket) -> None:
        """Abort its connection, or the attempt to make one."""
        carrier, ticket.carrier = ticket.carrier, None
        if isinstance(carrier, Connection):
            carrier.ticket = None
            carrier.abort()
        elif carrier is not None:
            carrier.cancel()

    def close(self) -> None:
        """Abort every connection."""
        for task in self._connecting:
            task.cancel()
        for connection in list(self._open):
            connection.ticket = None
            connection.abort()
        self.idle.clear()

    def opened(self, connection: Connection) -> None:
        self._open.add(connection)

    def lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    async def _connect(self, ticket: Ticket) -> None:
        connection = Connection(self)
        try:
            await open_connection(self._endpoint, self._host, self._tls, connection)
        except asyncio.CancelledError:
            connection.abort()
            raise
        except OSError as error:  # a certificate that is not accepted is one too
            if ticket.carrier is not None:
                ticket.carrier = None
                self.finished(ticket, OWN_LIMIT if error.errno in _OWN else UNREACHABLE, _now())
            return
        if ticket.carrier is not None:
            connection.send(ticket, self._request)
        else:
            connection.abort()


class Connection(asyncio.Protocol):
    """One keep-alive connection; at most one request at a time."""

    def __init__(self, pool: HttpTransport) -> None:
        self.ticket: Ticket | None = None
        self.idle_since = 0
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._received = 0
        self._head = b""
        self._head_ended = False
        self._answers = 0
        self._status = 0
        self._stays = False
        self._was_used = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._pool.opened(self)

    def send(self, ticket: Ticket, request: bytes) -> None:
        """Send a request; the connection is idle."""
        self.ticket = ticket
        ticket.carrier = self
        if self._transport is not None:
            self._transport.write(request)
        else:  # lost in the moment in which it was made
            asyncio.get_running_loop().call_soon(self._fail, RESET)

    def data_received(self, data: bytes) -> None:
        """Parse; the answer is taken when it is whole."""
        if self.ticket is None:  # nobody asked
            self.abort()
            return
        self._received += len(data)
        in_the_head = not self._head_ended
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(MALFORMED)
            return
        if self._answers:
            self._take_answer()
            return
        if in_the_head:
            self._head += data
        if self._received > (LARGEST_ANSWER_BYTES if self._head_ended else LARGEST_HEAD_BYTES):
            self._fail(MALFORMED)

    def on_headers_complete(self) -> None:
        """The head is whole; called by the parser."""
        self._head_ended = True

    def on_message_complete(self) -> None:
        """An answer is whole; called by the parser."""
        parser = self._parser
        self._status = status = parser.get_status_code()
        if status >= _INFORMATIONAL:
            self._answers += 1
            self._stays = parser.should_keep_alive()  # true only now: afterwards the parser has forgotten
        else:  # 100 Continue, 103 Early Hints: the answer is still to come
            self._head_ended = False

    def _take_answer(self) -> None:
        now, status, ticket = _now(), self._status, self.ticket
        if self._answers > 1 or status > _LARGEST_STATUS or self._received > LARGEST_ANSWER_BYTES or ticket is None:
            self._fail(MALFORMED)  # more answers than requests: the next request's was made up
            return
        self.ticket = ticket.carrier = None
        if self._stays:
            self._was_used = True
            self._received = self._answers = 0
            self._head_ended = False
            self._head = b""
            self.idle_since = now
            self._pool.idle.append(self)
        else:
            self.abort()
        self._pool.finished(ticket, status, now)

    def _fail(self, code: int) -> None:
        ticket, self.ticket = self.ticket, None
        self.abort()
        if ticket is not None:
            ticket.carrier = None
            self._pool.finished(ticket, code, _now())

    def connection_lost(self, exc: Exception | None) -> None:
        """Lost with a request on it: a failure, unless that is how the answer ends, or the connection was idle."""
        self._transport = None
        self._pool.lost(self)
        if self.ticket is not None and self._was_used and not self._received:
            ticket, self.ticket = self.ticket, None
            self._pool.send_once_more(ticket)
        elif self.ticket is not None:
            ended = exc is None and self._ends_with_the_connection()
            self._fail(self._parser.get_status_code() if ended else RESET)
        self._parser = None  # the parser and this object hold each other

    def _ends_with_the_connection(self) -> bool:
        """Whether the answer has neither a length nor chunks, as old servers send it."""
        fields = self._head.partition(_HEAD_END)[0].lower()
        return self._head_ended and b"\r\ncontent-length" not in fields and b"\r\ntransfer-encoding" not in fields

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


def tls_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    """How to speak TLS, or None where it is not spoken.

    Raises:
        ValueError: the authorities' file cannot be read.
    """
    if not endpoint.tls:
        return None
    try:
        return ssl.create_default_context(cafile=endpoint.ca_file)
    except OSError as error:
        raise ValueError(f"the certificates in {endpoint.ca_file} cannot be read: {error}") from error


async def find_host(endpoint: Endpoint) -> str:
    """The first address of the endpoint that takes a connection.

    Raises:
        LoadTargetUnreachableError: none does; the message tells why.
    """
    loop = asyncio.get_running_loop()
    reason = "it has no address"
    try:
        if endpoint.uds is not None:
            addresses = [endpoint.host]
        else:
            found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=1)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    except OSError as error:
        raise LoadTargetUnreachableError(f"{endpoint.address} cannot be resolved: {error}.") from error
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                transport, _ = await open_connection(endpoint, address, tls_context(endpoint), asyncio.Protocol())
        except OSError as error:
            if endpoint.tls and not isinstance(error, ssl.SSLCertVerificationError):
                await _refuse_plain_http(endpoint, address)
            reason = "it did not answer in time" if isinstance(error, TimeoutError) else str(error)
            continue
        transport.abort()
        return address
    raise LoadTargetUnreachableError(f"Nobody takes connections at {endpoint.address}: {reason}.")


async def _refuse_plain_http(endpoint: Endpoint, address: str) -> None:
    """Ask without TLS who is there.

    Raises:
        LoadTargetUnreachableError: a server that speaks HTTP without TLS.
    """
    answer = b""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        async with asyncio.timeout(PLAIN_ANSWER_S):
            if endpoint.uds is not None:
                reader, writer = await asyncio.open_unix_connection(endpoint.uds)
            else:
                reader, writer = await asyncio.open_connection(address, endpoint.port)
            try:
                writer.write(b"OPTIONS * HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n" % endpoint.host.encode())
                answer = await reader.readexactly(len(_PLAIN_HTTP))
            finally:
                writer.transport.abort()
    if answer == _PLAIN_HTTP:
        raise LoadTargetUnreachableError(
            f"{endpoint.address} speaks HTTP without TLS.", hint="Write http:// instead of https://."
        )


async def open_connection(
    endpoint: Endpoint, host: str, tls: ssl.SSLContext | None, protocol: asyncio.Protocol
) -> tuple[asyncio.Transport, asyncio.Protocol]:
    """Connect.

    Raises:
        OSError: as the system tells, ssl.SSLError among them.
    """
    loop = asyncio.get_running_loop()
    name = endpoint.host if tls is not None else None
    if endpoint.uds is not None:
        return await loop.create_unix_connection(lambda: protocol, endpoint.uds, ssl=tls, server_hostname=name)
    return await loop.create_connection(lambda: protocol, host, endpoint.port, ssl=tls, server_hostname=name)
