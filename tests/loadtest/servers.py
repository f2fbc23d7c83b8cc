"""Small servers that do as a test says, on TCP or a unix socket of this process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from mop.loadtest.endpoint import Endpoint

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool | None]]
"""Answers one request; False closes the connection, None leaves the request unanswered for ever."""

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server:
    """Counts what came."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._handler = handler
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(int(sizes[0].partition(b":")[2])) if sizes else b""
                self.requests.append(head + body)
                go_on = await self._handler(head + body, writer)
                if go_on is None:
                    await asyncio.Event().wait()
                if not go_on:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def end(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def until(check: Callable[[], object]) -> None:
    """Let the event loop go on until something is so; the test's time limit ends the wait for what never comes."""
    while not check():  # noqa: ASYNC110 - what is waited for belongs to the part under test
        await asyncio.sleep(0.001)


async def answer_ok(_request: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(OK)
    return True


def answers(data: bytes, *, close: bool = False) -> Handler:
    """Always this."""

    async def handler(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        return not close

    return handler


@asynccontextmanager
async def serving(
    handler: Handler, *, uds: Path | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Server, Endpoint]]:
    """A server and the endpoint that is its address."""
    server = Server(handler)
    if uds is not None:
        listening = await asyncio.start_unix_server(server.serve, uds, backlog=1000)
        endpoint = Endpoint(host="service", path="/score", uds=str(uds), payload=b"{}")
    else:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls, backlog=1000)
        port = listening.sockets[0].getsockname()[1]
        host = "127.0.0.1" if tls is None else "localhost"
        endpoint = Endpoint(host=host, port=port, path="/score", tls=tls is not None, payload=b"{}")
    try:
        yield server, endpoint
    finally:
        listening.close()
        await server.end()
