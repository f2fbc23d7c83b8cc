"""Rows through a service by the row runner, against `inference_batch` in a loop; and the runner's memory.

    .venv/bin/python benchmarks/evaluation_rows.py [--seconds 10] [--rounds 3] [--rows 10000 1000000] [--cache FOLDER]

Throughput: the scikit-learn text model, texts of 1,000 characters, the same batch size; both take turns in one run, and
the ratio is of their best rounds. Neither is caged: the cage costs both the same (benchmarks/sandbox.py). Memory: peak
of this process, and of the service's front, for few and for many rows of the model that costs nothing; each count in a
process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import orjson
from service_models import BATCH, BareModel, Environments, ModelFolder, make_models, our_environment
from service_stacks import our_service

from mop.serving.row_runner import Answered, Pace, run_rows

MIB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs=2, default=[10_000, 1_000_000])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mop-benchmark-environments")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        python = our_environment(options.cache)
        models = make_models(Path(root), Environments(python, python))
        if options.memory_of:
            print(json.dumps(asyncio.run(peak(python, models["near-zero"], options.memory_of))))
            return
        pairs = [
            (
                asyncio.run(by_runner(python, models["scikit-learn"], options.seconds)),
                in_a_loop(python, models["scikit-learn"], options.seconds),
            )
            for _ in range(options.rounds)
        ]
    ours, loop = (max(rates) for rates in zip(*pairs, strict=True))
    print(f"scikit-learn text: runner {ours:,.0f} rows/s, loop {loop:,.0f} rows/s, ratio {ours / loop:.2f}")
    peaks = {rows: measured(rows, options.cache) for rows in options.rows}
    for rows, (own, front) in peaks.items():
        print(f"{rows:>9,} rows: peak {own:.0f} MB, front {front:.0f} MB")


async def by_runner(python: Path, folder: ModelFolder, seconds: float) -> float:
    """Rows a second through the service."""
    bodies = folder.bodies.read_bytes().splitlines()
    async with our_service(python, folder, unix=True) as running:
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
        return count / (time.perf_counter() - began)


def in_a_loop(python: Path, folder: ModelFolder, seconds: float) -> float:
    """Rows a second of the model by itself."""
    bare = BareModel(python, folder)
    try:
        return bare.items_per_second(seconds)
    finally:
        bare.close()


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
    main()
