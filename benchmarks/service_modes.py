"""Both server modes side by side: the same model, workers, threads and batching behind `mop` and behind `gunicorn`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import asdict

from service_models import memory_mb
from service_report import Bench, Spread
from service_stacks import OurService, our_service

from mop.serving.config import BatchPolicy
from mop.serving_options import ServerMode

ON, OFF = BatchPolicy(), BatchPolicy(enabled=False)
CASES = (
    ("near-zero", 1, ON),
    ("scikit-learn", 1, ON),
    ("scikit-learn", 1, OFF),
    ("one stream", 1, ON),
    ("waits 20 ms a batch", 4, ON),
)
COUNTS = (8, 32)


async def compare_modes(bench: Bench) -> None:
    """Requests a second, 99th percentile, and the memory of what stands before the model processes."""
    for name, workers, policy in CASES:
        print(f" {name}, {workers} worker(s), batching {'on' if policy.enabled else 'off'}")
        await _compare(bench, name, workers, policy)


async def _compare(bench: Bench, name: str, workers: int, policy: BatchPolicy) -> None:
    async with AsyncExitStack() as stack:
        services = {
            mode: await stack.enter_async_context(
                our_service(
                    bench.environments.ours,
                    bench.models[name],
                    workers=workers,
                    policy=policy,
                    server=mode,
                    unix=True,
                )
            )
            for mode in ServerMode
        }
        for count in COUNTS:
            runs: dict[ServerMode, list[dict[str, float]]] = {mode: [] for mode in services}
            for _ in range(bench.rounds):
                for mode, running in services.items():
                    runs[mode].append(await bench.clients.run(running.address, count, bench.seconds))
            _report(bench, {"model": name, "workers": workers, "batching": policy.enabled, "clients": count}, runs)
        sizes = {mode: _front_mb(running) for mode, running in services.items()}
        print("   memory before the models: " + ", ".join(f"{mode} {size:.0f} MB" for mode, size in sizes.items()))


def _report(bench: Bench, cell: dict[str, object], runs: dict[ServerMode, list[dict[str, float]]]) -> None:
    texts = []
    for mode, rounds in runs.items():
        bench.report.errors += int(sum(run["errors"] for run in rounds))
        rps, p99 = Spread.of([run["rps"] for run in rounds]), Spread.of([1000 * run["p99"] for run in rounds])
        cell[mode] = {"rps": asdict(rps), "p99_ms": asdict(p99)}
        texts.append(f"{mode} {rps.median:.0f} requests/s, p99 {p99.median:.2f} ms")
    pairs = zip(runs[ServerMode.MOP], runs[ServerMode.GUNICORN], strict=True)
    ratio = Spread.of([mop["rps"] / gunicorn["rps"] for mop, gunicorn in pairs])
    cell["ratio"] = asdict(ratio)
    print(f"   {cell['clients']:>3} clients: {'; '.join(texts)}; mop / gunicorn {ratio}")
    bench.report.modes.append(cell)


def _front_mb(running: OurService) -> float:
    """Proportional memory of everything but the model processes, which gunicorn's processes share much of."""
    return sum(memory_mb(pid)[1] for pid in running.front_pids())
