"""Clients that send the next request when the last one is answered; a process of its own, told by JSON lines.

    python closed_loop.py BODIES      one JSON body a line

Each line of standard input is an order, `{"address", "clients", "seconds", "warm"}`; each gets one line of answer. An
address is `unix:/path` or `http://host:port`. What is answered in the first `warm` seconds is not counted. An order may
name another `path` than /score, a file of other `bodies`, and further `headers` as "name: value".
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
    requests: list[bytes], *, address: str, clients: int, seconds: float, warm: float
) -> dict[str, float]:
    """One run.

    Returns:
        answered requests a second; p50 and p99 of their latency in seconds; errors: answers other than 200 and
        connections lost without an answer; cpu: the share of one core that the clients took.
    """
    run = Run(requests, address, time.perf_counter() + warm, time.perf_counter() + warm + seconds)
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

    def __init__(self, requests: list[bytes], address: str, start: float, end: float) -> None:
        self.latencies = array("d")
        self.errors = 0
        self._requests = requests
        self._turn = 0
        self._address = address
        self._start = start
        self._end = end

    async def client(self) -> None:
        """One client until the end of the run; it connects again when the service closes the connection."""
        while time.perf_counter() < self._end:
            finished = asyncio.get_running_loop().create_future()
            try:
                await self._connect(Client(self, finished))
            except OSError:
                self.errors += 1
                return
            await finished

    async def _connect(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        if self._address.startswith("unix:"):
            await loop.create_unix_connection(lambda: client, self._address.removeprefix("unix:"))
        else:
            parts = urlsplit(self._address)
            await loop.create_connection(lambda: client, parts.hostname, parts.port)

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


class Client(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, run: Run, finished: asyncio.Future[None]) -> None:
        self._run = run
        self._finished = finished
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = False
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._waiting = True
        self._sent = time.perf_counter()
        self._transport.write(self._run.next_request())

    def data_received(self, data: bytes) -> None:
        """Parse; `on_message_complete` sends the next request."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The answer is here."""
        self._waiting = False
        go_on = self._run.answered(self._sent, self._parser.get_status_code())
        if go_on and self._parser.should_keep_alive():
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Lost without an answer is an error."""
        self._run.errors += self._waiting
        if not self._finished.done():
            self._finished.set_result(None)


if __name__ == "__main__":
    main()
