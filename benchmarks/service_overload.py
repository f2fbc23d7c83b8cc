"""Far more load than the model can take, open loop: what is accepted stays fast, the rest is refused at once."""

from __future__ import annotations

from service_models import BATCH, stream_rate
from service_report import Bench, Spread
from service_stacks import Clients, our_service

TIMES = 4  # the load, in the model's own throughput
QUEUE = 256
MODEL, LIMIT = "one stream", stream_rate(BATCH)
BATCH_S = BATCH / LIMIT
QUEUE_S = (QUEUE + BATCH) / LIMIT  # what may wait: the queue and the reserve
BOUND_S = QUEUE_S + 2 * BATCH_S  # and the batch at work, and its own


async def measure_overload(bench: Bench) -> None:
    """The latency of accepted requests against the time that a full queue takes."""
    async with our_service(bench.environments.ours, bench.models[MODEL], unix=True, queue_limit=QUEUE) as running:
        with Clients(bench.models[MODEL].bodies, script="open_loop.py") as clients:
            runs = []
            for _ in range(bench.rounds):
                order = {"address": running.address, "rate": TIMES * LIMIT, "seconds": bench.seconds}
                runs.append(await clients.ask(order))
    bench.report.errors += int(sum(run["errors"] for run in runs))
    accepted = Spread.of([run["accepted"] for run in runs])
    refused = Spread.of([run["refused"] for run in runs])
    p99 = Spread.of([1000 * run["p99"] for run in runs])
    health = Spread.of([1000 * run["health_p99"] for run in runs])
    waits = f"{min(run['retry_least'] for run in runs):.0f} to {max(run['retry_greatest'] for run in runs):.0f} s"
    print(f" {TIMES} times what the model does, queue of {QUEUE}: {accepted} requests/s answered, {refused} refused")
    print(f"   accepted p99 {p99} ms (a full queue takes {1000 * BOUND_S:.0f} ms)")
    print(
        f"   uncontended batch {1000 * BATCH_S:.1f} ms, what may wait {1000 * QUEUE_S:.0f} ms: p99 is "
        f"{p99.median / 1000 / (BATCH_S + QUEUE_S):.2f} of one batch and the queue, {p99.median / 1000 / BOUND_S:.2f} "
        "of two batches and the queue"
    )
    print(f"   /health p99 {health} ms, Retry-After {waits}")
    bench.report.overload = {"runs": runs, "bound_ms": 1000 * BOUND_S}
    bench.report.aim(
        f"{TIMES} times overload, p99 of accepted over the time of a full queue",
        "under 1.5",
        f"{p99.median / 1000 / BOUND_S:.2f}",
        reached=p99.median / 1000 < 1.5 * BOUND_S,
    )
    bench.report.aim(
        f"{TIMES} times overload, p99 of accepted over one batch and the time of the queue",
        "under 2",
        f"{p99.median / 1000 / (BATCH_S + QUEUE_S):.2f}",
        reached=p99.median / 1000 < 2 * (BATCH_S + QUEUE_S),
    )
    wrong = int(sum(run["errors"] for run in runs))
    bench.report.aim(f"{TIMES} times overload, answers other than 200 and 429", "0", str(wrong), reached=wrong == 0)
    share = Spread.of([run["accepted"] / LIMIT for run in runs])
    bench.report.aim(
        f"{TIMES} times overload, share of the model's best", "0.9", str(share), reached=share.median >= 0.9
    )
