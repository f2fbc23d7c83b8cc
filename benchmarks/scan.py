"""What a scan costs: megabytes a second, and whether its memory stays under its cap.

    .venv/bin/python benchmarks/scan.py [--megabytes 500] [--folder /disk/with/room] [--json FILE]

Half a gigabyte of what model folders hold, each kind scanned by itself as a worker does it, in the best cage of this
host: weights in a `.npz`, in a file like safetensors and as bare floats, a pickle of arrays and words behind gzip, and
thousands of small texts. The memory of every process of a scan is read from /proc all the while. What the files hold
is made from a fixed seed, and nothing of it is suspicious.

Fails when a scan holds more than 512 MiB, does not come to its end, or calls a file otherwise than clean.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mop.hosting.caged_scan import SCAN_MEMORY_BYTES, caged_scan
from mop.sandbox import probe_sandbox
from mop.scanning.findings import Verdict
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject

MB = 1_000_000
BLOCK = 8 * MB
SMALL_FILE = 12_000
SAMPLE_SECONDS = 0.05
WORDS = ("a", "model", "label", "score", "token", "0.25", "severity", "class", "the", "input", "text", "count", "is")


@dataclass(frozen=True)
class Cost:
    """One scan: kind of the folder, its bytes, seconds, highest resident memory of its largest process in bytes."""

    kind: str
    size: int
    seconds: float
    peak: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--folder", type=Path, default=None, help="a disk with room; default: the temporary folder")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    costs = []
    for kind, (share, make) in KINDS.items():
        with tempfile.TemporaryDirectory(prefix="mop-scan-", dir=arguments.folder) as folder:
            model = Path(folder, "folder")
            (model / "model").mkdir(parents=True)
            make(model / "model", int(arguments.megabytes * share * MB))
            costs.append(measure(kind, model))
    print(f"{'kind':<16}{'size':>10}{'seconds':>10}{'MB/s':>8}{'peak RSS':>12}")
    for cost in (*costs, total(costs)):
        print(
            f"{cost.kind:<16}{cost.size / MB:>7,.0f} MB{cost.seconds:>10.2f}{cost.size / MB / cost.seconds:>8.0f}"
            f"{cost.peak / MB:>9.0f} MB"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2))
    if (most := max(cost.peak for cost in costs)) > SCAN_MEMORY_BYTES:
        print(f"a scan holds {most / 2**20:.0f} MiB, over {SCAN_MEMORY_BYTES / 2**20:.0f}")
        return 1
    return 0


def total(costs: list[Cost]) -> Cost:
    return Cost(
        "all", sum(one.size for one in costs), sum(one.seconds for one in costs), max(one.peak for one in costs)
    )


def measure(kind: str, folder: Path) -> Cost:
    """Scan a folder.

    Raises:
        AssertionError: something of it was not seen, or is not clean.
    """
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory(prefix="mop-scan-") as runtime:
        seconds, peak = asyncio.run(scan(folder, Path(runtime)))
    return Cost(kind, size, seconds, peak)


async def scan(folder: Path, runtime: Path) -> tuple[float, int]:
    subject = Subject(folder)
    cage = caged_scan(probe_sandbox(runtime_folder=runtime), subject)
    started, peak = time.perf_counter(), 0
    job = asyncio.create_task(run_scanners(subject, cage=cage, log=lambda _line: None))
    while not job.done():
        await asyncio.wait([job], timeout=SAMPLE_SECONDS)
        peak = max(peak, *map(resident, descendants(os.getpid())), 0)
    seconds = time.perf_counter() - started
    report = await job
    assert report.incomplete == {}, report.incomplete
    unclean = [file for file in report.files if file.verdict != Verdict.CLEAN]
    assert unclean == [], unclean[:3]
    return seconds, peak


def descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from descendants(child)


def resident(pid: int) -> int:
    """The highest resident memory of a process so far, in bytes; 0 when it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return 0


# What is scanned ---------------------------------------------------------------------------------------------


def floats(size: int) -> Iterator[bytes]:
    """Weights as a training leaves them: float32, near zero."""
    made = np.random.default_rng(7)
    while size > 0:
        block = made.normal(0, 0.02, min(size, BLOCK) // 4).astype(np.float32).tobytes()
        yield block
        size -= len(block)


def words(size: int, seed: int = 7) -> str:
    drawn = np.random.default_rng(seed).integers(0, len(WORDS), size // 5)
    return " ".join(WORDS[number] if number % 9 else f"{WORDS[number]}\n" for number in drawn)[:size]


def make_npz(folder: Path, size: int) -> None:
    array = np.frombuffer(b"".join(floats(size // 2)), dtype=np.float32)
    np.savez(folder / "weights.npz", first=array, second=array[::-1])


def make_safetensors(folder: Path, size: int) -> None:
    head = json.dumps({"weight": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    with (folder / "weights.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.writelines(floats(size))


def make_raw(folder: Path, size: int) -> None:
    with (folder / "weights.bin").open("wb") as file:
        file.writelines(floats(size))


def make_pickle(folder: Path, size: int) -> None:
    content = {
        "weights": [bytes(block) for block in floats(size * 9 // 10)],
        "vocabulary": {f"word-{number}": number for number in range(min(500_000, size // 200))},
        "text": words(size // 20),
    }
    with gzip.open(folder / "model.pkl.gz", "wb", compresslevel=1) as file:
        pickle.dump(content, file)


def make_small(folder: Path, size: int) -> None:
    for number in range(max(1, size // SMALL_FILE)):
        (folder / f"{number:05}.txt").write_text(words(SMALL_FILE, seed=number))


KINDS: dict[str, tuple[float, Callable[[Path, int], None]]] = {
    "npz": (0.4, make_npz),
    "safetensors": (0.2, make_safetensors),
    "raw": (0.15, make_raw),
    "pickle.gz": (0.2, make_pickle),
    "small files": (0.05, make_small),
}
"""By name: the share of the bytes, and what makes them."""


if __name__ == "__main__":
    sys.exit(main())
