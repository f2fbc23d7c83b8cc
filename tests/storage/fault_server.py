"""A storage server that fails in a chosen way: real sockets, so that the SDK's own behaviour is part of the test."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from support.azurite import ServerCertificate


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    @property
    def is_listing(self) -> bool:
        return self.query.get("comp") == ["list"]


@dataclass(frozen=True)
class Reply:
    """`body_sent` is what really goes out: less than `body` closes the connection early; `stall` keeps it open.

    `reset` ends the connection with a RST, before any answer.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    body_sent: int | None = None
    stall: bool = False
    reset: bool = False


def failure(status: int, code: str = "", *, retry_after: str = "") -> Reply:
    headers = {"x-ms-error-code": code} if code else {}
    return Reply(status, headers | ({"Retry-After": retry_after} if retry_after else {}))


class FaultServer:
    """Serves `blobs` below /account/container/; `fault` may answer a request in its place.

    Attributes:
        blobs: name to content.
        etags: name to ETag where it is not the default.
        encoded: names that a listing gives percent-encoded, as Azure does where XML cannot hold them.
        requests: what was asked, in order.
        sent: how many bytes of each blob went out, in all answers together.
    """

    def __init__(self, tls: ServerCertificate | None = None) -> None:
        self._tls = tls
        self.blobs: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.encoded: set[str] = set()
        self.requests: list[Request] = []
        self.sent: Counter[str] = Counter()
        self.fault: Callable[[Request], Reply | None] = lambda _request: None
        self._server: asyncio.Server | None = None
        self._stalled = asyncio.Event()

    @property
    def reads(self) -> list[Request]:
        """The requests for blobs."""
        return [request for request in self.requests if not request.is_listing]

    def honest(self, request: Request, *, body_sent: int | None = None, stall: bool = False) -> Reply:
        """The right answer, of which only the first bytes go out."""
        return replace(self._honest(request), body_sent=body_sent, stall=stall)

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{port}/account"

    async def __aenter__(self) -> Self:
        context = None
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.certificate, self._tls.key)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._stalled.set()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await self._answer(line, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(line.split(b" ")[1].decode())
        headers: dict[str, str] = {}
        while (row := await reader.readline()).strip():
            name, _, value = row.decode().partition(":")
            headers[name.lower()] = value.strip()
        request = Request(unquote(target.path), parse_qs(target.query), headers)
        self.requests.append(request)
        reply = self.fault(request) or self._honest(request)
        if reply.reset:
            _reset(writer)
            raise ConnectionAbortedError
        head = {"x-ms-request-id": "1", "Content-Length": str(len(reply.body)), **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} Reason", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        sent = reply.body if reply.body_sent is None else reply.body[: reply.body_sent]
        if not request.is_listing and reply.status < 300:
            self.sent[request.path.removeprefix("/account/container/")] += len(sent)
        writer.write("\r\n".join(lines).encode() + sent)
        await writer.drain()
        if reply.stall:
            await self._stalled.wait()
        if reply.stall or len(sent) < len(reply.body):
            raise ConnectionAbortedError

    def _honest(self, request: Request) -> Reply:
        if request.is_listing:
            return Reply(200, {"Content-Type": "application/xml"}, self._listing(request).encode())
        name = request.path.removeprefix("/account/container/")
        if name not in self.blobs:
            return failure(404, "BlobNotFound")
        content, etag = self.blobs[name], self._etag(name)
        if request.headers.get("if-match", etag) != etag:
            return failure(412, "ConditionNotMet")
        if not content:
            return Reply(416, {"x-ms-error-code": "InvalidRange"}) if "x-ms-range" in request.headers else Reply(200)
        first, last = request.headers["x-ms-range"].removeprefix("bytes=").split("-")
        part = content[int(first) : int(last) + 1]
        position = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        return Reply(206, {"Content-Range": position, "ETag": etag, "x-ms-blob-type": "BlockBlob"}, part)

    def _listing(self, request: Request) -> str:
        prefix = request.query.get("prefix", [""])[0]
        rows = "".join(
            f"<Blob>{self._name(name)}<Properties><Etag>{self._etag(name)}</Etag>"
            f"<Content-Length>{len(content)}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name, content in self.blobs.items()
            if name.startswith(prefix)
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://x/" '
            f'ContainerName="container"><Blobs>{rows}</Blobs><NextMarker/></EnumerationResults>'
        )

    def _name(self, name: str) -> str:
        if name in self.encoded:
            return f'<Name Encoded="true">{quote(name)}</Name>'
        return f"<Name>{escape(name)}</Name>"

    def _etag(self, name: str) -> str:
        return self.etags.get(name, f"0x{len(name):08X}")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Let closing the connection send a RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
