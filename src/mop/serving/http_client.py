"""The few lines of HTTP/1.1 that an owner speaks with its service: one request a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mop.errors import HostLostError

LARGEST_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Response:
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
            writer.write(_head(method, path, len(body), headers or {}) + body)
            await writer.drain()
            return await _response(reader)
        finally:
            writer.close()
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise HostLostError(f"The service at {address} does not answer: {error!r}.") from error


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("unix:"):
        return await asyncio.open_unix_connection(address.removeprefix("unix:"), limit=LARGEST_HEAD_BYTES)
    parts = urlsplit(address)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=LARGEST_HEAD_BYTES)


def _head(method: str, path: str, size: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: service", "connection: close", f"content-length: {size}"]
    if size and "content-type" not in headers:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _response(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    sizes = [line.partition(":")[2] for line in head if line.lower().startswith("content-length:")]
    return Response(status, await reader.readexactly(int(sizes[0])))
