"""One POST to an address that was checked: no redirect, no proxy, a limit on time and on the size of the answer.

The name is looked up once. Every address that it has must be allowed, and the connection goes to one of these: a name
that leads elsewhere a moment later changes nothing. The time limit holds for the whole call, whatever trickles in.
"""

from __future__ import annotations

import functools
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from mop.notifications.webhook_hosts import Allowed, RefusedTargetError, Target

ANSWER_BYTES_MAX = 64 * 1024

Resolver = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    Attributes:
        status: the HTTP status; None where there was no answer.
        error: why it did not arrive; empty when it did.
        refused: MOP itself did not send it.
        retry_after_s: how long the receiver asks to wait.
        seconds: how long it took.
    """

    status: int | None
    error: str = ""
    refused: bool = False
    retry_after_s: int | None = None
    seconds: float = 0.0

    @property
    def arrived(self) -> bool:
        """Whether the receiver took it."""
        return not self.error


def addresses_of(host: str, port: int) -> Sequence[str]:
    """The addresses that a name has now.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Poster:
    """Sends to what is allowed.

    Attributes:
        allowed: hosts and networks.
        seconds: for the whole call.
        resolve: looks names up.
        tls: whom to trust.
    """

    allowed: Allowed
    seconds: float
    resolve: Resolver = addresses_of
    tls: ssl.SSLContext | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send, and tell what came of it; never raises for what a receiver does."""
        _ = self.tls or _public_authorities()  # reading them takes a moment that is not the receiver's
        began = time.monotonic()
        try:
            status, answered = self._post(self.allowed.target(url), headers, body, began + self.seconds)
        except RefusedTargetError as error:
            return Answer(None, error=str(error), refused=True, seconds=time.monotonic() - began)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            return Answer(None, error=self._text_of(error), seconds=time.monotonic() - began)
        return Answer(
            status,
            error=_fault_of(status),
            retry_after_s=_seconds_in(answered.get(b"retry-after", b"")),
            seconds=time.monotonic() - began,
        )

    def _post(
        self, target: Target, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> tuple[int, dict[bytes, bytes]]:
        backend = _PinnedBackend(self, deadline)
        whom = self.tls or _public_authorities()
        with httpcore.ConnectionPool(ssl_context=whom, network_backend=backend, max_connections=1) as pool:
            sent = {**headers, "Host": target.authority, "Content-Length": str(len(body)), "Connection": "close"}
            response = pool.request(
                "POST",
                httpcore.URL(
                    scheme=target.scheme.encode(),
                    host=target.host.encode(),
                    port=target.port,
                    target=target.path.encode(),
                ),
                headers=[(name.encode(), value.encode()) for name, value in sent.items()],
                content=body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self.seconds)},
            )
            return response.status, {name.lower(): value for name, value in response.headers}

    def _text_of(self, error: Exception) -> str:
        if isinstance(error, _TooLongError):
            return f"The answer has more than {ANSWER_BYTES_MAX // 1024} KiB."
        if isinstance(error, httpcore.TimeoutException | TimeoutError):
            return f"There was no answer within {self.seconds:g} s."
        if isinstance(error, socket.gaierror):
            return f"The host's name has no address: {error.strerror}."
        if isinstance(error, httpcore.ProtocolError):
            return "The answer is not HTTP."
        return f"The connection failed: {error}."


class _TooLongError(httpcore.ReadError):
    """The answer is too long."""


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked."""

    def __init__(self, poster: Poster, deadline: float) -> None:
        self._poster = poster
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline of the whole call counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._poster.resolve(host, port)
        for address in addresses:
            self._poster.allowed.check_address(address)
        fault: Exception = OSError("the host's name has no address")
        for address in addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, _left(self._deadline), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
            else:
                return _BoundedStream(stream, self._deadline)
        raise fault


class _BoundedStream(httpcore.NetworkStream):
    """A connection with one deadline and one limit on what is read, in whatever pieces it comes."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline
        self._room = ANSWER_BYTES_MAX

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see connect_tcp
        data = self._stream.read(max_bytes, _left(self._deadline))
        self._room -= len(data)
        if self._room < 0:
            raise _TooLongError("too long")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - see connect_tcp
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - see connect_tcp
    ) -> httpcore.NetworkStream:
        return _BoundedStream(
            self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    return ssl.create_default_context()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left


def _fault_of(status: int) -> str:
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
        return ""
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP's redirects
        return f"It answered {status}: MOP follows no redirects. Give the url that it leads to."
    return f"It answered {status}."


def _seconds_in(text: bytes) -> int | None:
    """`Retry-After` as seconds; a date is not read."""
    return int(text) if text.isdigit() and len(text) < 8 else None  # noqa: PLR2004 - a sane number
