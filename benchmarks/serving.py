"""The model service against the original stack, interleaved in one run; its share of a model's own speed; its cost.

    .venv/bin/python benchmarks/serving.py [--quick] [--rivals] [--rounds 5] [--seconds 2] [--json FILE]

The clients are closed loop, over keep-alive connections, in a process of their own; each sends 1,000 characters. All
stacks have one worker (ours and the original with 8 threads) and are reached over TCP (`--unix` lets ours use its
socket, as MOP does). `--rivals` adds MLServer, LitServe and BentoML. Within a round every stack is measured once, in a
turning order, and all but ours are stopped while it is not their turn; ratios are of one round, and the printed ones
are medians over the rounds with the least and the greatest.
A failed request of ours or of the original fails the script; what a rival refused, and an aim that is missed, is
printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import uvloop
from service_bound import measure_bound
from service_compare import COMPARED, compare
from service_costs import memory, start_times
from service_images import measure_images
from service_models import make_environments, make_models
from service_modes import compare_modes
from service_overload import measure_overload
from service_report import Bench, Report, Spread
from service_rivals import make_rivals
from service_sharing import measure_sharing
from service_stacks import Clients, our_service

from mop.serving.config import BatchPolicy

CLIENTS = (1, 8, 32)
RIVALS = "rivals"
DEFAULT_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mop-benchmarks"


def main() -> int:
    options = _options()
    if options.only and RIVALS in options.only:
        options.rivals = True
        options.only += [name for name in COMPARED if name not in options.only]
    if options.quick:
        options.rounds, options.seconds, options.clients = 2, 0.5, [1, 32]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start"
    shown = {name: value for name, value in vars(options).items() if name not in {"json", "cache"}}
    report = Report(machine, shown)
    print(machine)
    environments = make_environments(options.cache)
    rivals = None
    if options.rivals:
        rivals, report.absent = make_rivals(options.cache)
        for name, reason in report.absent.items():
            print(f"absent: {name}: {reason}")
    with (
        tempfile.TemporaryDirectory(prefix="mop-") as root,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        models = make_models(Path(root), environments)
        with Clients(models["near-zero"].bodies) as clients:
            counts = tuple(options.clients)
            sizes = (options.rounds, options.seconds, counts, options.unix)
            bench = Bench(environments, models, clients, Path(root), *sizes, report, rivals)
            runner.run(measure(bench, options.only))
    print("\naims")
    for aim in report.aims:
        print(f"  {aim}")
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=1))
    if report.errors:
        print(f"{report.errors} requests failed")
    return 1 if report.errors else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds that are interleaved")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement, after a fifth of it as warm-up")
    parser.add_argument("--clients", type=int, nargs="+", default=list(CLIENTS))
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[*COMPARED, RIVALS, *OTHER_PARTS],
        help=f"these parts and no others; {RIVALS}: {', '.join(COMPARED)}, with --rivals",
    )
    parser.add_argument("--rivals", action="store_true", help="compare with MLServer, LitServe and BentoML too")
    parser.add_argument("--unix", action="store_true", help="ours over its unix socket, the original over TCP")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.5 s with 1 and 32 clients")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where the environments are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser.parse_args()


async def measure(bench: Bench, only: list[str] | None) -> None:
    parts: dict[str, Callable[[], object]] = {name: (lambda name=name: compare(bench, name)) for name in COMPARED}
    parts |= {name: (lambda part=part: part(bench)) for name, part in OTHER_PARTS.items()}
    for name, part in parts.items():
        if only is None or name in only:
            print(f"\n{name}")
            await part()  # type: ignore[misc]  # every part is a coroutine function


WORKER_CASES = (
    ("waits 5 ms an item", 8, BatchPolicy(enabled=False)),
    ("waits 20 ms a batch", 96, BatchPolicy()),
)


async def compare_workers(bench: Bench) -> None:
    """4 workers beside 1 on models that only wait: without batches and one thread each, and with full batches."""
    for name, count, policy in WORKER_CASES:
        async with AsyncExitStack() as stack:
            services = {
                workers: await stack.enter_async_context(
                    our_service(
                        bench.environments.ours,
                        bench.models[name],
                        workers=workers,
                        threads=1,
                        policy=policy,
                        unix=bench.unix,
                    )
                )
                for workers in (1, 4)
            }
            rates: dict[int, list[float]] = {workers: [] for workers in services}
            for _ in range(bench.rounds):
                for workers, running in services.items():
                    run = await bench.clients.run(running.address, count, bench.seconds)
                    bench.report.errors += int(run["errors"])
                    rates[workers].append(run["rps"])
        gain = Spread.of([four / (4 * one) for one, four in zip(rates[1], rates[4], strict=True)])
        one, four = Spread.of(rates[1]), Spread.of(rates[4])
        batches = "batches on" if policy.enabled else "batches off"
        print(f" {name}, {count} clients, {batches}: 1 worker {one}, 4 workers {four}; of 4 times one: {gain}")
        bench.report.workers.append(
            {"model": name, "clients": count, "one": asdict(one), "four": asdict(four), "gain": asdict(gain)}
        )
        bench.report.aim(f"4 workers, {name}, of 4 times one", "0.9", str(gain), reached=gain.median >= 0.9)


async def measure_costs(bench: Bench) -> None:
    """Memory and start, on the near-zero and the scikit-learn model."""
    for name in ("near-zero", "scikit-learn"):
        folder = bench.models[name]
        used = await memory(bench.environments.ours, folder, bench.clients)
        print(f" {name}: MB resident (and proportional)")
        for part, (resident, proportional) in used.items():
            print(f"   {part:34} {resident:6.1f} ({proportional:.1f})")
        over = used["model process"][0] - used["bare interpreter with the model"][0]
        whole = used["front"][0] + over
        times = await start_times(bench.environments.ours, folder, repeats=max(3, bench.rounds))
        start = Spread.of([1000 * total for total, _ in times])
        init = Spread.of([1000 * own for _, own in times])
        beside = Spread.of([1000 * (total - own) for total, own in times])
        print(f"   start to ready {start} ms, the model's import and init {init} ms, the rest {beside} ms")
        front = used["front"][0]
        bench.report.aim(f"front of {name}, resident", "under 60 MB", f"{front:.1f} MB", reached=front < 60)
        bench.report.aim(
            f"model process of {name} over the bare model, resident",
            "under 15 MB",
            f"{over:.1f} MB",
            reached=over < 15,
        )
        bench.report.aim(
            f"front and model process of {name} over the bare model, resident, one worker",
            "at most 40 MB",
            f"{whole:.1f} MB",
            reached=whole <= 40,
        )
        bench.report.aim(
            f"start of {name} beside the model's init", "under 300 ms", f"{beside} ms", reached=beside.median < 300
        )
        bench.report.costs[name] = {
            "memory_mb": used,
            "start_ms": asdict(start),
            "init_ms": asdict(init),
            "beside_ms": asdict(beside),
        }


OTHER_PARTS = {
    "workers": compare_workers,
    "sharing": measure_sharing,
    "images": measure_images,
    "overload": measure_overload,
    "bound": measure_bound,
    "modes": compare_modes,
    "costs": measure_costs,
}

if __name__ == "__main__":
    sys.exit(main())
