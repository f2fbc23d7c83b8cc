"""Rows through a service by the row runner, against `inference_batch` in a loop; and the runner's memory.

    .venv/bin/python benchmarks/evaluation_rows.py [--seconds 5] [--rounds 5] [--rows 10000 1000000] [--cache FOLDER]
        [--level 1] [--beside-a-busy-core]

Throughput: the scikit-learn text model, texts of 1,000 characters, the same batch size, both in the cage of a worker
with the same limits. The two take turns, the first of a round being the second of the next, and neither runs while the
other does; the ratio is the median over the rounds, and a ratio below 0.9 fails the script. Rows are counted from when
the service answers; printed beside are the ratio of a run of 100,000 rows whose start is counted too, and the CPU that
a row costs each process, which says more where others keep the cores busy. `--level 0` measures both without the cage.
`--beside-a-busy-core` also measures the loop beside a process that does nothing but spin: what the other core's work
alone takes from the model. Memory: peak of this process, and of the service's front, for few and for many rows of the
model that costs nothing; each count in a process of its own. `--rows` without a number leaves it out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import orjson
from service_models import BARE, BATCH, MIB, BareModel, Environments, ModelFolder, make_models, our_environment
from service_report import Spread
from service_stacks import our_service

from mop.sandbox import Job, Mount, SandboxLevel, probe_sandbox, python_mounts
from mop.sandbox.host import host_cpus
from mop.serving.row_runner import Answered, Pace, run_rows
from sandbox import configuration, model_command

LEAST_RATIO = 0.9
ROWS_OF_A_RUN = 100_000
PROCESSES = ("runner", "front", "model")
SPIN = "while True: pass"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--level", type=int, default=1, help="of the cage; 0 is none")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mop-benchmark-environments")
    parser.add_argument("--beside-a-busy-core", action="store_true", help="measure what a spinning process costs")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mop-") as folder:
        root = Path(folder)
        os.environ |= {"MOP_HOME": str(root / "home"), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
        import django  # noqa: PLC0415 - the settings are known by now

        django.setup()
        python = our_environment(options.cache)
        models = make_models(root, Environments(python, python))
        if options.memory_of:
            print(json.dumps(asyncio.run(peak(python, models["near-zero"], options.memory_of))))
            return 0
        model = Measured(python, models["scikit-learn"], *commands(python, models["scikit-learn"], root, options.level))
        print(f"{host_cpus()} CPUs, load {os.getloadavg()[0]:.1f} at the start, cage of level {options.level}")
        if options.beside_a_busy_core:
            print(f"loop beside a spinning process, of the loop: {beside_a_busy_core(model, options)}")
        pairs = [one_round(model, options.seconds, turned=bool(number % 2)) for number in range(options.rounds)]
    ours = Spread.of([run.rate for run, _ in pairs])
    loop = Spread.of([bare.rate for _, bare in pairs])
    ratio = Spread.of([run.rate / bare.rate for run, bare in pairs])
    with_start = Spread.of([run.rate_of(ROWS_OF_A_RUN) / bare.rate for run, bare in pairs])
    print(f"scikit-learn text: runner {ours} rows/s, loop {loop} rows/s, ratio {ratio}, load {os.getloadavg()[0]:.1f}")
    print(f"with the start of the service, {ROWS_OF_A_RUN:,} rows: ratio {with_start}")
    costs = [Spread.of([run.costs[place] for run, _ in pairs]) for place in range(len(PROCESSES))]
    bare_cost = Spread.of([bare.costs[-1] for _, bare in pairs])
    shown = ", ".join(f"{name} {cost}" for name, cost in zip(PROCESSES, costs, strict=True))
    of_cpu = Spread.of([bare.costs[-1] / run.costs[-1] for run, bare in pairs])
    print(f"CPU in us a row: {shown}; model in the loop {bare_cost}, ratio of the model's CPU {of_cpu}")
    peaks = {rows: measured(rows, options.cache) for rows in options.rows}
    for rows, (own, front) in peaks.items():
        print(f"{rows:>9,} rows: peak {own:.0f} MB, front {front:.0f} MB")
    return 1 if ratio.median < LEAST_RATIO else 0


@dataclass(frozen=True)
class Measured:
    """A model, and the commands of its two processes; empty ones run outside the cage."""

    python: Path
    folder: ModelFolder
    service: Sequence[str]
    loop: Sequence[str]


def commands(python: Path, folder: ModelFolder, root: Path, level: int) -> tuple[Sequence[str], Sequence[str]]:
    """Of a model process as a worker makes it, and of the loop in a cage that is made alike."""
    if not level:
        return (), ()
    from mop.hosting.configuration import limits_of  # noqa: PLC0415 - the settings are known by now

    sandbox = probe_sandbox(runtime_folder=root / "cage", forced=SandboxLevel(level))
    job = Job(
        argv=(str(python), "-c", BARE, "/mop/src", "/mop/model", "/mop/bodies"),
        mounts=(
            *python_mounts(python.resolve()),
            Mount(python.parent.parent, str(python.parent.parent)),
            Mount(folder.src, "/mop/src"),
            Mount(folder.model, "/mop/model"),
            Mount(folder.bodies, "/mop/bodies"),
        ),
        env={"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        cwd="/mop/src",
        limits=limits_of(configuration(), workers=1),
        label="model",
    )
    return model_command(python, folder, sandbox), sandbox.command(job)


@dataclass(frozen=True)
class Run:
    """One measurement.

    Attributes:
        rate: rows a second.
        costs: microseconds of CPU a row, of each process; the model's is the last.
        start_s: seconds until there could be a row.
    """

    rate: float
    costs: Sequence[float]
    start_s: float = 0.0

    def rate_of(self, rows: int) -> float:
        """Rows a second of a run of so many, its start included."""
        return rows / (self.start_s + rows / self.rate)


def beside_a_busy_core(model: Measured, options: argparse.Namespace) -> Spread:
    """What the loop does beside a process that does nothing but spin, as a part of what it does without."""
    found = []
    for _ in range(options.rounds):
        alone = in_a_loop(model, options.seconds).rate
        spinning = subprocess.Popen([sys.executable, "-c", SPIN])
        try:
            found.append(in_a_loop(model, options.seconds).rate / alone)
        finally:
            spinning.kill()
            spinning.wait()
    return Spread.of(found)


def one_round(model: Measured, seconds: float, *, turned: bool) -> tuple[Run, Run]:
    """The runner and the loop, one after the other."""
    if turned:
        loop = in_a_loop(model, seconds)
        return asyncio.run(by_runner(model, seconds)), loop
    return asyncio.run(by_runner(model, seconds)), in_a_loop(model, seconds)


async def by_runner(model: Measured, seconds: float) -> Run:
    """Through the service."""
    bodies = model.folder.bodies.read_bytes().splitlines()
    ordered = time.perf_counter()
    async with our_service(model.python, model.folder, unix=True, command=model.service) as running:
        start_s = time.perf_counter() - ordered
        before = cpu_of(os.getpid()), cpu_of(running.front_pid), cpu_below(running.front_pid)
        end = time.perf_counter() + seconds

        async def rows() -> AsyncIterator[bytes]:
            place = 0
            while time.perf_counter() < end:
                yield bodies[place % len(bodies)]
                place += 1

        count, began = 0, time.perf_counter()
        pace = Pace.of(workers=1, batch=BATCH, deadline_s=60)
        async with aclosing(run_rows(rows(), service=running.service, pace=pace, form="model")) as outcomes:
            async for outcome in outcomes:
                assert isinstance(outcome, Answered)
                count += 1
        rate = count / (time.perf_counter() - began)
        after = cpu_of(os.getpid()), cpu_of(running.front_pid), cpu_below(running.front_pid)
        return Run(rate, [1e6 * (now - then) / count for now, then in zip(after, before, strict=True)], start_s)


def in_a_loop(model: Measured, seconds: float) -> Run:
    """The model by itself."""
    bare = BareModel(model.python, model.folder, model.loop)
    try:
        before, began = cpu_below(os.getpid()), time.perf_counter()
        rate = bare.items_per_second(seconds)
        rows = rate * (time.perf_counter() - began)
        return Run(rate, [1e6 * (cpu_below(os.getpid()) - before) / rows])
    finally:
        bare.close()


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_below(pid: int) -> float:
    """Seconds of CPU of everything below a process."""
    return sum(cpu_of(child) for child in processes_below(pid))


def processes_below(pid: int) -> list[int]:
    """The children of a process and theirs."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [found for child in children for found in (child, *processes_below(child))]


async def peak(python: Path, folder: ModelFolder, count: int) -> tuple[float, float]:
    """Peak memory in MB of this process and of the front, after so many rows."""
    body = orjson.dumps({"text": "x" * 1000})

    async def rows() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield body

    async with our_service(python, folder, unix=True) as running:
        pace = Pace.of(workers=1, batch=BATCH, deadline_s=60)
        async with aclosing(run_rows(rows(), service=running.service, pace=pace, form="model")) as outcomes:
            async for _ in outcomes:
                pass
        front = peak_kb(running.front_pid)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB, front * 1024 / MIB


def peak_kb(pid: int) -> int:
    """The peak memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def measured(rows: int, cache: Path) -> tuple[float, float]:
    """The peaks of a process of its own."""
    argv = [sys.executable, __file__, "--memory-of", str(rows), "--cache", str(cache)]
    own, front = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return own, front


if __name__ == "__main__":
    sys.exit(main())
