"""The few lines of HTTP/1.1 that an owner speaks with its service: one request a connection, or one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from mop.errors import HostLostError

LARGEST_HEAD_BYTES = 1 << 16


class Response(NamedTuple):
    """Status and body."""

    status: int
    body: bytes


async def request(
    address: str, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Response:
    """One request to `unix:/path/of/socket` or `http://host:port`.

    Raises:
        HostLostError: nobody answers there.
    """
    try:
        reader, writer = await _connect(address)
        try:
            writer.write(_head(method, path, len(body), headers or {}, stays=False) + body)
            await writer.drain()
            return await _response(reader)
        finally:
            writer.close()
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise HostLostError(f"The service at {address} does not answer: {error!r}.") from error


class KeptConnection:
    """A connection for one request after the other. Its user waits for each answer.

    Args:
        address: `unix:/path/of/socket` or `http://host:port`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        """One request; once more on a new connection, where the service had closed a used one without an answer.

        Raises:
            HostLostError: nobody answers there.
        """
        was_used = self._streams is not None
        try:
            return await self._exchange(method, path, body, headers or {})
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            no_answer = not isinstance(error, asyncio.IncompleteReadError) or not error.partial
            if not (was_used and no_answer):
                raise self._lost(error) from error
        except (OSError, EOFError, ValueError, IndexError) as error:
            raise self._lost(error) from error
        try:
            return await self._exchange(method, path, body, headers or {})
        except (OSError, EOFError, ValueError, IndexError) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        try:
            if self._streams is None:
                self._streams = await _connect(self._address)
            reader, writer = self._streams
            writer.write(_head(method, path, len(body), headers, stays=True) + body)
            await writer.drain()
            return await _response(reader)
        except BaseException:
            self.close()  # also of a caller who gave up: the answer would be taken for that of the next request
            raise

    def _lost(self, error: Exception) -> HostLostError:
        return HostLostError(f"The service at {self._address} does not answer: {type(error).__name__}.")


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("unix:"):
        return await asyncio.open_unix_connection(address.removeprefix("unix:"), limit=LARGEST_HEAD_BYTES)
    parts = urlsplit(address)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=LARGEST_HEAD_BYTES)


def _head(method: str, path: str, size: int, headers: Mapping[str, str], *, stays: bool) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: service", f"content-length: {size}"]
    if not stays:
        lines.append("connection: close")
    if size and "content-type" not in headers:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _response(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    sizes = [line.partition(":")[2] for line in head if line.lower().startswith("content-length:")]
    return Response(status, await reader.readexactly(int(sizes[0])))
