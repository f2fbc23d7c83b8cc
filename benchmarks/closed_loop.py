"""Clients that send the next request when the last one is answered; a process of its own, told by JSON lines.

    python closed_loop.py BODIES      one JSON body a line

Each line of standard input is an order, `{"address", "clients", "seconds", "warm"}`; each gets one line of answer. An
address is `unix:/path` or `http://host:port`. What is answered in the first `warm` seconds is not counted. An order may
name another `path` than /score, a file of other `bodies`, and further `headers` as "name: value". With a list as
`address` each client asks all of them the same at once, and goes on when the last one answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvloop

REST = b" HTTP/1.1\r\nhost: service\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n"
HEAD = b"POST /score" + REST.replace(b"%b", b"")


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for requests, order in orders():
            print(json.dumps(runner.run(closed_loop(requests, **order))), flush=True)


def orders() -> Iterator[tuple[list[bytes], dict[str, Any]]]:
    """The requests of each order on standard input, and the rest of it."""
    for line in sys.stdin:
        order = json.loads(line)
        headers = tuple(order.pop("headers", ()))
        yield make_requests(order.pop("bodies", sys.argv[1]), order.pop("path", "/score"), headers), order


@cache
def make_requests(bodies: str, path: str, headers: tuple[str, ...] = ()) -> list[bytes]:
    """The requests that send each line of a file."""
    given = "".join(f"{header}\r\n" for header in headers).encode()
    head = b"POST " + path.encode() + REST
    return [head % (given, len(body)) + body for body in Path(bodies).read_bytes().splitlines()]


async def closed_loop(
    requests: list[bytes], *, address: str | list[str], clients: int, seconds: float, warm: float
) -> dict[str, float]:
    """One run.

    Returns:
        answered requests a second; p50 and p99 of their latency in seconds; errors: answers other than 200 and
        connections lost without an answer; cpu: the share of one core that the clients took.
    """
    addresses = [address] if isinstance(address, str) else address
    run = Run(requests, addresses, time.perf_counter() + warm, time.perf_counter() + warm + seconds)
    cpu = time.process_time()
    await asyncio.gather(*(run.client() for _ in range(clients)))
    cpu = time.process_time() - cpu
    latencies = sorted(run.latencies)
    return {
        "rps": len(latencies) / seconds,
        "p50": percentile(latencies, 0.50),
        "p99": percentile(latencies, 0.99),
        "errors": run.errors,
        "cpu": cpu / (warm + seconds),
    }


def percentile(ordered: list[float], share: float) -> float:
    """Of ordered values; NaN of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Run:
    """What the clients of one run share: the requests in turn, the clock, the record."""

    def __init__(self, requests: list[bytes], addresses: list[str], start: float, end: float) -> None:
        self.latencies = array("d")
        self.errors = 0
        self._requests = requests
        self._turn = 0
        self._addresses = addresses
        self._start = start
        self._end = end

    async def client(self) -> None:
        """One client until the end of the run; it connects again when the service closes the connection."""
        while time.perf_counter() < self._end:
            client = Client(self, asyncio.get_running_loop().create_future())
            try:
                for address in self._addresses:
                    await self._connect(client, address)
            except OSError:
                self.errors += 1
                return
            client.send()
            await client.finished

    async def _connect(self, client: Client, address: str) -> None:
        loop = asyncio.get_running_loop()
        if address.startswith("unix:"):
            await loop.create_unix_connection(lambda: Connection(client), address.removeprefix("unix:"))
        else:
            parts = urlsplit(address)
            await loop.create_connection(lambda: Connection(client), parts.hostname, parts.port)

    def next_request(self) -> bytes:
        """The next of the requests in turn."""
        self._turn += 1
        return self._requests[self._turn % len(self._requests)]

    def answered(self, sent: float, status: int) -> bool:
        """Record one answer; says whether to go on."""
        now = time.perf_counter()
        if self._start <= now < self._end:
            self.latencies.append(now - sent)
        if status != 200:
            self.errors += 1
        return now < self._end


class Client:
    """Asks all of its services the same, and again when they answered.

    Attributes:
        finished: resolved when it lost a connection or its time is over.
    """

    def __init__(self, run: Run, finished: asyncio.Future[None]) -> None:
        self.finished = finished
        self.transports: list[asyncio.Transport] = []
        self._run = run
        self._waiting = 0
        self._status = 200
        self._stays = True
        self._sent = 0.0

    def send(self) -> None:
        """Ask the next."""
        self._waiting = len(self.transports)
        self._sent = time.perf_counter()
        request = self._run.next_request()
        for transport in self.transports:
            transport.write(request)

    def answered(self, status: int, *, stays: bool) -> None:
        """One service answered, and keeps the connection or not."""
        self._waiting -= 1
        self._status = max(self._status, status)
        self._stays = self._stays and stays
        if self._waiting:
            return
        go_on = self._run.answered(self._sent, self._status)
        self._status = 200
        if go_on and self._stays:
            self.send()
        else:
            for transport in self.transports:
                transport.close()

    def lost(self) -> None:
        """A connection ended; without an answer that is an error."""
        self._run.errors += bool(self._waiting)
        self._waiting = 0
        for transport in self.transports:
            transport.close()
        if not self.finished.done():
            self.finished.set_result(None)


class Connection(asyncio.Protocol):
    """One keep-alive connection of a client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Its client may send."""
        self._client.transports.append(transport)  # type: ignore[arg-type]  # of a stream

    def data_received(self, data: bytes) -> None:
        """Parse; `on_message_complete` is called with the end."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The answer is here."""
        self._client.answered(self._parser.get_status_code(), stays=self._parser.should_keep_alive())

    def connection_lost(self, _exc: Exception | None) -> None:
        """Its client knows what it waits for."""
        self._client.lost()


if __name__ == "__main__":
    main()
