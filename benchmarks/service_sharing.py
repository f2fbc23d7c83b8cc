"""Several model processes and few clients: one batch budget, whether the processes share a stream or not."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import asdict

from service_report import Bench, Spread
from service_stacks import our_service

CLIENTS = 8
WORKERS = 4
CASES = (
    ("shares one stream", 1.0, 0.9),  # 4 processes cannot be faster than one, and must not be slower
    ("waits 5 ms an item", float(WORKERS), 0.8),  # they are, 4 times
    ("waits 20 ms a batch", 1.0, 0.9),  # every client waits 20 ms anyway
)


async def measure_sharing(bench: Bench) -> None:
    """4 workers beside 1, dynamic batching on."""
    for name, best, wanted in CASES:
        async with AsyncExitStack() as stack:
            services = {
                workers: await stack.enter_async_context(
                    our_service(bench.environments.ours, bench.models[name], workers=workers, unix=True)
                )
                for workers in (1, WORKERS)
            }
            rates: dict[int, list[float]] = {workers: [] for workers in services}
            for _ in range(bench.rounds):
                for workers, running in services.items():
                    run = await bench.clients.run(running.address, CLIENTS, bench.seconds)
                    bench.report.errors += int(run["errors"])
                    rates[workers].append(run["rps"])
        gain = Spread.of([many / (best * one) for one, many in zip(rates[1], rates[WORKERS], strict=True)])
        one, many = Spread.of(rates[1]), Spread.of(rates[WORKERS])
        print(f" {name}, {CLIENTS} clients: 1 worker {one}, {WORKERS} workers {many}; of {best:g} times one: {gain}")
        bench.report.workers.append(
            {"model": name, "clients": CLIENTS, "one": asdict(one), "four": asdict(many), "gain": asdict(gain)}
        )
        bench.report.aim(
            f"{WORKERS} workers, {CLIENTS} clients, {name}, of {best:g} times one",
            f"{wanted:g}",
            str(gain),
            reached=gain.median >= wanted,
        )
