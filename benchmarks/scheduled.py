"""Clients that send when their time has come, whatever was answered; a process of its own, told by JSON lines.

    python scheduled.py BODIES      one JSON body a line

Each line of standard input is an order, `{"address", "rate", "seconds", "warm"}`, with `path`, `bodies` and `headers`
as for closed_loop.py; each gets one line of answer. The gaps between requests are random, as of many callers who know
nothing of each other, and the same for every order of this rate. A request goes out on a connection that waits for
nothing, or on a new one. Latency counts from the moment at which it was due; requests that were due in the first `warm`
seconds are not counted.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import uvloop
from closed_loop import orders, percentile
from timed_connection import TimedConnection

PATIENCE_S = 10.0


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for requests, order in orders():
            run = Run(requests, order.pop("address"))
            print(json.dumps(runner.run(run.scheduled(**order))), flush=True)


class Run:
    """One run: connections that wait for nothing, and what was answered."""

    def __init__(self, requests: list[bytes], address: str) -> None:
        self.idle: list[Connection] = []
        self.latencies: list[float] = []
        self.errors = 0
        self.answered = 0
        self.start = 0.0
        self._late: list[float] = []
        self._requests = requests
        self._address = address
        self._turn = 0
        self._connecting: set[asyncio.Task[None]] = set()

    async def scheduled(self, *, rate: float, seconds: float, warm: float) -> dict[str, float]:
        """Send `rate` requests a second.

        Returns:
            answered requests a second; p50 and p99 of their latency in seconds; errors: answers other than 200 and
            requests without one; late_p99: of the seconds by which they were sent too late; cpu: the share of one core
            that the clients took.
        """
        loop, began, cpu = asyncio.get_running_loop(), time.perf_counter(), time.process_time()
        self.start = began + warm
        times = list(_times(rate, began, began + warm + seconds))
        # a thread, since the loop's timers count whole milliseconds
        sender = threading.Thread(target=_tell, args=(times, loop, self._send))
        sender.start()
        await asyncio.to_thread(sender.join)
        end = time.perf_counter() + PATIENCE_S
        while self.answered < len(times) and time.perf_counter() < end:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0.002)
        cpu = time.process_time() - cpu
        for connection in self.idle:
            connection.close()
        latencies = sorted(self.latencies)
        return {
            "rps": len(latencies) / seconds,
            "p50": percentile(latencies, 0.5),
            "p99": percentile(latencies, 0.99),
            "errors": self.errors + len(times) - self.answered,
            "late_p99": percentile(sorted(self._late), 0.99),
            "cpu": cpu / (warm + seconds),
        }

    def _send(self, due: float) -> None:
        self._turn += 1
        request = self._requests[self._turn % len(self._requests)]
        if self.idle:
            self.idle.pop().send(request, due)
        else:
            task = asyncio.get_running_loop().create_task(self._send_on_another(request, due))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        if due >= self.start:
            self._late.append(time.perf_counter() - due)

    async def _send_on_another(self, request: bytes, due: float) -> None:
        loop = asyncio.get_running_loop()
        if self._address.startswith("unix:"):
            path = self._address.removeprefix("unix:")
            _, connection = await loop.create_unix_connection(lambda: Connection(self), path)
        else:
            parts = urlsplit(self._address)
            _, connection = await loop.create_connection(lambda: Connection(self), parts.hostname, parts.port)
        connection.send(request, due)


def _times(rate: float, begin: float, end: float) -> Iterator[float]:
    chance, due = random.Random(7), begin  # noqa: S311 - the same times every time
    while (due := due + chance.expovariate(rate)) < end:
        yield due


def _tell(times: list[float], loop: asyncio.AbstractEventLoop, send: object) -> None:
    for due in times:
        if (left := due - time.perf_counter()) > 0:
            time.sleep(left)
        loop.call_soon_threadsafe(send, due)  # type: ignore[arg-type]  # a method of one argument


class Connection(TimedConnection[Run]):
    """Of a run."""

    def on_message_complete(self) -> None:
        """The answer is here."""
        run = self._run
        run.answered += 1
        if self._parser.get_status_code() != 200:
            run.errors += 1
        elif self._due >= run.start:
            run.latencies.append(time.perf_counter() - self._due)
        run.idle.append(self)


if __name__ == "__main__":
    main()
