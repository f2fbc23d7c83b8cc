"""Bodies of images through the service: requests a second, and the memory that the front takes for them."""

from __future__ import annotations

import base64
import json
import os
import random
from dataclasses import asdict
from pathlib import Path

from service_models import MIB, memory_mb
from service_report import Bench, Spread
from service_stacks import Clients, our_service

SIZES = (300_000, 3_000_000)  # bytes of JSON
CLIENTS = 8
WITH_WARM_UP = 1.2  # a fifth of each run is not counted


async def measure_images(bench: Bench) -> None:
    """The model costs nothing, so this is what transport, checks and copies cost."""
    folder = bench.models["near-zero"]
    for size in SIZES:
        bodies = make_bodies(bench.root / f"images-{size}", size)
        with Clients(bodies) as clients:
            async with our_service(bench.environments.ours, folder, unix=True) as running:
                before = memory_mb(running.front_pid)[0]
                rounds = range(bench.rounds)
                used = cpu_seconds(running.front_pid)
                runs = [await clients.run(running.address, CLIENTS, bench.seconds) for _ in rounds]
                used = cpu_seconds(running.front_pid) - used
                after = peak_mb(running.front_pid)
        bench.report.errors += int(sum(run["errors"] for run in runs))
        rps = Spread.of([run["rps"] for run in runs])
        rate = Spread.of([run["rps"] * size / MIB for run in runs])
        p99 = Spread.of([1000 * run["p99"] for run in runs])
        answered = sum(run["rps"] for run in runs) * bench.seconds * WITH_WARM_UP
        cpu = 1000 * used / answered
        growth = (after - before) / (CLIENTS * size / MIB)
        print(f" {size / 1000:.0f} kB, {CLIENTS} clients: {rps} requests/s, {rate} MB/s, p99 {p99} ms")
        print(
            f"   front: {cpu:.2f} ms of CPU a request; {before:.1f} MB idle, {after:.1f} MB at most: "
            f"{growth:.1f} times the bodies in flight more"
        )
        found = {
            "bytes": size,
            "rps": asdict(rps),
            "p99_ms": asdict(p99),
            "front_cpu_ms": cpu,
            "idle_mb": before,
            "most_mb": after,
        }
        bench.report.images.append(found)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_bodies(path: Path, size: int) -> Path:
    """Four requests with an image each, as base64 in JSON, of `size` bytes together."""
    chance = random.Random(7)  # noqa: S311 - the same images every time
    room = size - len(json.dumps({"image": ""}))
    images = [base64.b64encode(chance.randbytes(room)).decode()[:room] for _ in range(4)]
    path.write_text("\n".join(json.dumps({"image": image}) for image in images))
    return path


def peak_mb(pid: int) -> float:
    """The highest resident memory of a process so far, in MB (2**20 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
