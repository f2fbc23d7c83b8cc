"""Clients that send at a fixed rate, whatever the service does; a process of its own, told by JSON lines.

    python open_loop.py BODIES      one JSON body a line

Each line of standard input is an order, `{"address", "rate", "seconds"}`; each gets one line of answer. A request goes
out on a connection that waits for nothing, or on a new one. Latency counts from the moment at which it was due.
Ten times a second `/health` is asked on a connection of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop
from closed_loop import HEAD, percentile
from timed_connection import TimedConnection

HEALTH = b"GET /health HTTP/1.1\r\nhost: service\r\n\r\n"
TICK_S = 0.002
HEALTH_EVERY_S = 0.1
PATIENCE_S = 30.0


def main() -> None:
    bodies = Path(sys.argv[1]).read_bytes().splitlines()
    requests = [HEAD % len(body) + body for body in bodies]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            order = json.loads(line)
            print(json.dumps(runner.run(Run(requests, order["address"]).open_loop(order["rate"], order["seconds"]))))
            sys.stdout.flush()


class Run:
    """One run: idle connections, and what was answered."""

    def __init__(self, requests: list[bytes], address: str) -> None:
        self.idle: list[Connection] = []
        self.latencies: dict[int, list[float]] = {}
        self.retry_after: list[int] = []
        self.open = 0
        self.last_accepted = 0.0
        self._requests = requests
        self._path = address.removeprefix("unix:")
        self._turn = 0

    async def open_loop(self, rate: float, seconds: float) -> dict[str, float]:
        """Send `rate` requests a second.

        Returns:
            accepted: answered a second, until the last of them was; its p50 and p99 in seconds; refused: 429 a
            second; the least and greatest Retry-After; p99 and greatest latency of /health; errors: other answers;
            connections that were needed.
        """
        health = asyncio.ensure_future(self._ask_health(seconds))
        start, sent = time.perf_counter(), 0
        while (now := time.perf_counter()) < start + seconds:
            for _ in range(int((now - start) * rate) - sent):
                await self._send(start + sent / rate)
                sent += 1
            await asyncio.sleep(TICK_S)
        end = time.perf_counter() + PATIENCE_S
        while self._answered() < sent and time.perf_counter() < end:  # noqa: ASYNC110 - the sending loop ticks as well
            await asyncio.sleep(TICK_S)
        waits = sorted(await health)
        for connection in self.idle:
            connection.close()
        good = sorted(self.latencies.get(200, []))
        refused = self.latencies.get(429, [])
        return {
            "accepted": len(good) / max(seconds, self.last_accepted - start),
            "p50": percentile(good, 0.5),
            "p99": percentile(good, 0.99),
            "most": good[-1] if good else float("nan"),
            "refused": len(refused) / seconds,
            "refused_p99": percentile(sorted(refused), 0.99),
            "retry_least": min(self.retry_after, default=0),
            "retry_greatest": max(self.retry_after, default=0),
            "health_p99": percentile(waits, 0.99),
            "errors": sent - len(good) - len(refused),
            "connections": self.open,
        }

    def _answered(self) -> int:
        return sum(map(len, self.latencies.values()))

    async def _send(self, due: float) -> None:
        self._turn += 1
        connection = self.idle.pop() if self.idle else await self._connect()
        connection.send(self._requests[self._turn % len(self._requests)], due)

    async def _connect(self) -> Connection:
        self.open += 1
        _, connection = await asyncio.get_running_loop().create_unix_connection(lambda: Connection(self), self._path)
        return connection

    async def _ask_health(self, seconds: float) -> list[float]:
        reader, writer = await asyncio.open_unix_connection(self._path)
        waits = []
        for _ in range(int(seconds / HEALTH_EVERY_S)):
            start = time.perf_counter()
            writer.write(HEALTH)
            await reader.readuntil(b'"alive"}')
            waits.append(time.perf_counter() - start)
            await asyncio.sleep(max(0.0, HEALTH_EVERY_S - waits[-1]))
        writer.close()
        return waits


class Connection(TimedConnection[Run]):
    """Of a run."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note when a refused caller may come back."""
        if name == b"retry-after":
            self._run.retry_after.append(int(value))

    def on_message_complete(self) -> None:
        """The answer is here."""
        status, now = self._parser.get_status_code(), time.perf_counter()
        self._run.latencies.setdefault(status, []).append(now - self._due)
        if status == 200:
            self._run.last_accepted = now
        self._run.idle.append(self)


if __name__ == "__main__":
    main()
