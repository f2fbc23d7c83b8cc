"""What the sandbox costs a model service: requests a second in and out of the cage, and time to start.

    .venv/bin/python benchmarks/sandbox.py [--pairs 7] [--seconds 2] [--levels 1 2] [--models near-zero] [--json FILE]

In each pair the same service is started, asked and stopped twice: once with its model process in the cage of a worker,
once with the bare process; which comes first changes by turns, and neither runs while the other does. The clients are
closed loop on the service's socket, in a process of their own. The job gets all CPUs of the host, so that its limits
cost it nothing. Printed are medians over the pairs with the least and the greatest; ratios and differences are of one
pair. The processor time of the service's processes for a request, supervisor and watchdog included, is told as well:
other work on the machine changes it little. Claims: a ratio of requests a second of at least 0.95, and less than
100 ms more to start. A failed request fails the script; so does a missed claim.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from service_models import MIB, Environments, ModelFolder, make_models, our_environment
from service_stacks import Clients

from mop.environments import Environment
from mop.errors import SandboxUnavailableError
from mop.sandbox import Sandbox, SandboxLevel, probe_sandbox
from mop.sandbox.host import host_cpus
from mop.sandbox.watchdog import processes_below
from mop.serving.config import ServiceConfig, model_process_argv
from mop.serving.service import ServiceRequest
from serving import DEFAULT_CACHE, Spread

if TYPE_CHECKING:
    from mop.hosting.configuration import Configuration

COUNTS = (1, 32)
MODELS = ("near-zero", "scikit-learn")
LEAST_RATIO, MOST_MS = 0.95, 100
THREADS = 8
WARMED = 1.2  # the clients begin a fifth of a run earlier than they count
MEMORY_BYTES = 1024 * MIB


@dataclass(frozen=True)
class Run:
    """One service.

    Attributes:
        start_ms: from the order until it was ready.
        rates: requests a second, by number of clients.
        costs: microseconds of processor time for a request, by number of clients.
    """

    start_ms: float
    rates: dict[int, float]
    costs: dict[int, float]


@dataclass(frozen=True)
class Bench:
    """What every run needs."""

    python: Path
    clients: Clients
    root: Path
    seconds: float


def main() -> int:
    options = _options()
    print(f"Python {platform.python_version()}, {host_cpus()} CPUs, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory(prefix="mop-") as folder:
        root = Path(folder)
        os.environ |= {"MOP_HOME": str(root / "home"), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
        import django  # noqa: PLC0415 - the settings are known by now

        django.setup()
        python = our_environment(options.cache)
        models = make_models(root, Environments(python, python))
        with Clients(models[MODELS[0]].bodies) as clients:
            bench = Bench(python, clients, root, options.seconds)
            cells = [
                cell
                for level in options.levels
                for name in options.models
                if (cell := uvloop.run(compare(bench, models[name], SandboxLevel(level), options.pairs)))
            ]
    if options.json:
        options.json.write_text(json.dumps(cells, indent=1))
    missed = [claim for cell in cells for claim in cell["missed"]]
    for claim in missed:
        print(f"MISSED  {claim}")
    return 1 if missed or not cells else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one run of the clients")
    parser.add_argument("--levels", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


async def compare(bench: Bench, folder: ModelFolder, level: SandboxLevel, pairs: int) -> dict[str, object] | None:
    """The pairs of one model at one level; None where this host cannot give the level."""
    try:
        caged = caged_command(bench, folder, level)
    except SandboxUnavailableError as error:
        print(f"level {int(level)} is not measured: {error.message}")
        return None
    bare = tuple(model_process_argv(bench.python, src=folder.src, model=folder.model, threads=THREADS))
    await run(bench, caged)  # warms what both share
    found: dict[tuple[str, ...], list[Run]] = {caged: [], bare: []}
    for pair in range(pairs):
        for command in (caged, bare) if pair % 2 else (bare, caged):
            found[command].append(await run(bench, command))
    both = list(zip(found[caged], found[bare], strict=True))
    print(f"\nlevel {int(level)}, {folder.name}, {pairs} pairs")
    cell: dict[str, object] = {"level": int(level), "model": folder.name, "rates": {}, "costs": {}}
    missed = []
    for count in COUNTS:
        inside, outside = (Spread.of([one.rates[count] for one in found[command]]) for command in (caged, bare))
        ratio = Spread.of([one.rates[count] / other.rates[count] for one, other in both])
        print(f"   {count:3} clients: {inside} requests/s in the cage, {outside} out of it, ratio {ratio}")
        costly = Spread.of([one.costs[count] / other.costs[count] for one, other in both])
        times = [statistics.median(one.costs[count] for one in found[command]) for command in (caged, bare)]
        print(f"               {times[0]:.0f} us of processor time a request, {times[1]:.0f} out of it, ratio {costly}")
        cell["costs"][count] = {"in": times[0], "out": times[1], "ratio": asdict(costly)}  # type: ignore[index]
        cell["rates"][count] = {"in": asdict(inside), "out": asdict(outside), "ratio": asdict(ratio)}  # type: ignore[index]
        if ratio.median < LEAST_RATIO:
            missed.append(f"level {int(level)}, {folder.name}, {count} clients: ratio {ratio}, claimed {LEAST_RATIO}")
    inside, outside = (Spread.of([one.start_ms for one in found[command]]) for command in (caged, bare))
    added = Spread.of([one.start_ms - other.start_ms for one, other in both])
    print(f"   start to ready: {inside} ms in the cage, {outside} ms out of it, added {added} ms")
    if added.median >= MOST_MS:
        missed.append(f"level {int(level)}, {folder.name}: start added {added} ms, claimed below {MOST_MS}")
    return {
        **cell,
        "start_ms": {"in": asdict(inside), "out": asdict(outside), "added": asdict(added)},
        "missed": missed,
    }


def caged_command(bench: Bench, folder: ModelFolder, level: SandboxLevel) -> tuple[str, ...]:
    """The command of a model process as a worker makes it, at a level.

    Raises:
        SandboxUnavailableError: this host cannot give it.
    """
    sandbox = probe_sandbox(runtime_folder=bench.root / f"level-{int(level)}", forced=level)
    return model_command(bench.python, folder, sandbox)


def model_command(python: Path, folder: ModelFolder, sandbox: Sandbox) -> tuple[str, ...]:
    """The command of a model process as a worker makes it, in a cage; it needs the settings that `main` makes."""
    from mop.hosting.command import service_config  # noqa: PLC0415
    from mop.hosting.structure import ModelFolder as CheckedFolder  # noqa: PLC0415
    from mop.hosting.tools import open_host_tools  # noqa: PLC0415

    environment = Environment(
        key="benchmark",
        path=python.parent.parent,
        python=python,
        interpreter=python.resolve(),
        python_version=platform.python_version(),
        pip_version="",
        files="",
        packages=(),
        reused=True,
        seconds=0.0,
        notes=(),
    )
    config = service_config(
        "benchmark",
        model=CheckedFolder(folder.src, folder.model, None, ()),
        environment=environment,
        configuration=configuration(),
        tools=replace(open_host_tools(), sandbox=sandbox),
    )
    return config.command


def configuration() -> Configuration:
    """All CPUs of the host, so that limits cost nothing."""
    from mop.hosting.configuration import Configuration  # noqa: PLC0415 - as above

    return Configuration(cpus=host_cpus(), memory_bytes=MEMORY_BYTES, threads=THREADS)


async def run(bench: Bench, command: tuple[str, ...]) -> Run:
    """Start a service, ask it, stop it."""
    from mop.serving.local_host import LocalServiceHost  # noqa: PLC0415 - beside the imports above

    host = LocalServiceHost(bench.root / "services")
    reservation = await host.reserve(ServiceRequest("benchmark", "benchmark", 1, MEMORY_BYTES))
    began = time.perf_counter()
    service = await host.start(reservation, ServiceConfig(command=command, threads=THREADS))
    try:
        await service.wait_ready(60)
        start_ms = 1000 * (time.perf_counter() - began)
        front = service._front.pid  # noqa: SLF001 - whose processes are looked at
        rates, costs = {}, {}
        for count in COUNTS:
            used = cpu_seconds(front)
            answer = await bench.clients.run(service.address, count, bench.seconds)
            assert not answer["errors"], f"{answer['errors']} requests failed"
            rates[count] = answer["rps"]
            costs[count] = 1e6 * (cpu_seconds(front) - used) / (answer["rps"] * bench.seconds * WARMED)
    finally:
        await service.stop()
    return Run(start_ms, rates, costs)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its living descendants have used."""
    ticks = 0
    for one in [pid, *(child for child, _ in processes_below(pid))]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
