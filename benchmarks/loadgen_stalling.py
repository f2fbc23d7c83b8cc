"""A server that answers at once, but stands still for the first part of every period.

    python loadgen_stalling.py SOCKET PERIOD_S STALL_S

It prints `ready` when it listens. What arrives while it stands still is answered when it goes on, all of it at once.
"""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server(asyncio.Protocol):
    """One connection; every request is one segment that ends with an empty line."""

    period = stall = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer, now or when the server goes on."""
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        self._received = b""
        phase = time.perf_counter() % self.period
        if phase < self.stall:
            asyncio.get_running_loop().call_later(self.stall - phase, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        self._transport.write(ANSWER)  # type: ignore[attr-defined]  # a stream's transport


async def serve(path: str) -> None:
    server = await asyncio.get_running_loop().create_unix_server(Server, path, backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    Server.period, Server.stall = float(sys.argv[2]), float(sys.argv[3])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
