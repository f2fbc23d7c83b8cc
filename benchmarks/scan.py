"""What a scan costs beside reading the same bytes: ratios to coreutils' sha256sum, and memory beside its cap.

    .venv/bin/python benchmarks/scan.py [--megabytes 2000] [--runs 3] [--folder /disk/with/room] [--json FILE]

What model folders hold, each kind scanned by itself as a worker does it, in the best cage of this host: weights in
every format of raw numbers, a pickle of arrays and words, alone and behind gzip, a tar of arrays, and thousands of
small texts. In the same run `sha256sum` reads the same files. Compared are seconds of CPU, the least of some runs of
both in turn, so that other work on the host counts little; what starting a scan costs (of a folder with one small
text) is taken off. The memory of every process of a scan is read from /proc all the while. What the files hold is
made from a fixed seed, and nothing of it is suspicious.

Fails when a process of a scan holds more than 512 MiB, a scan does not finish, or it calls a file otherwise
than clean. A ratio below its aim is marked.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import io
import json
import os
import pickle
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mop.hosting.caged_scan import SCAN_MEMORY_BYTES, caged_scan
from mop.sandbox import probe_sandbox
from mop.sandbox.host import host_cpus
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
    """One kind of folder.

    Attributes:
        kind: its name.
        files: how many.
        size: bytes of all of them.
        seconds: a scan took, on all CPUs that it may use.
        cpu: seconds of CPU of a scan, without its start.
        digest_cpu: seconds of CPU of sha256sum over the same files.
        peak: highest resident memory of the largest process in bytes.
        aim: the least ratio of sha256sum's CPU to the scan's; 0 for none.
    """

    kind: str
    files: int
    size: int
    seconds: float
    cpu: float
    digest_cpu: float
    peak: int
    aim: float

    @property
    def ratio(self) -> float:
        """How fast the scan is beside sha256sum."""
        return self.digest_cpu / self.cpu


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--folder", type=Path, default=None, help="a disk with room; default: the temporary folder")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mop-scan-", dir=arguments.folder) as folder:
        model = Path(folder, "folder")
        model.mkdir()
        (model / "one.txt").write_text("one")
        start = min(scanned(model).cpu for _ in range(arguments.runs))
    print(f"a scan of one small text: {start:.2f} s of CPU, taken off below; {host_cpus()} CPUs")
    print(
        f"{'kind':<16}{'files':>7}{'size':>10}{'wall':>9}{'CPU':>9}{'MB/s':>7}{'files/s':>9}"
        f"{'sha256sum':>11}{'ratio':>7}{'aim':>6}{'peak RSS':>10}"
    )
    costs = []
    for kind in arguments.only:
        share, aim, make = KINDS[kind]
        with tempfile.TemporaryDirectory(prefix="mop-scan-", dir=arguments.folder) as folder:
            model = Path(folder, "folder")
            (model / "model").mkdir(parents=True)
            make(model / "model", int(arguments.megabytes * share * MB))
            costs.append(cost := measure(kind, model, aim, start, arguments.runs))
        print(
            f"{cost.kind:<16}{cost.files:>7,}{cost.size / MB:>7,.0f} MB{cost.seconds:>7.2f} s{cost.cpu:>7.2f} s"
            f"{cost.size / MB / cost.cpu:>7.0f}{cost.files / cost.cpu:>9,.0f}{cost.digest_cpu:>9.2f} s"
            f"{cost.ratio:>7.2f}{cost.aim:>6.1f}{cost.peak / MB:>7.0f} MB{'  below its aim' * (cost.ratio < cost.aim)}",
            flush=True,
        )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(cost) | {"ratio": cost.ratio} for cost in costs], indent=2))
    if (most := max(cost.peak for cost in costs)) > SCAN_MEMORY_BYTES:
        print(f"a scan holds {most / 2**20:.0f} MiB, over {SCAN_MEMORY_BYTES / 2**20:.0f}")
        return 1
    return 0


def measure(kind: str, folder: Path, aim: float, start: float, runs: int) -> Cost:
    """Scan a folder and let sha256sum read it, in turn.

    Raises:
        AssertionError: something of it was not seen, or is not clean.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    scans, digests = [], []
    for _ in range(runs):
        digests.append(digested(files))
        scans.append(scanned(folder))
    return Cost(
        kind=kind,
        files=len(files),
        size=sum(path.stat().st_size for path in files),
        seconds=min(one.seconds for one in scans),
        cpu=max(min(one.cpu for one in scans) - start, 0.001),
        digest_cpu=min(digests),
        peak=max(one.peak for one in scans),
        aim=aim,
    )


def digested(files: list[Path]) -> float:
    """Seconds of CPU of sha256sum over these files, the second time: they lie in memory then."""
    before = 0.0
    for _ in range(2):
        before = children_cpu()
        subprocess.run(["sha256sum", "--", *map(str, files)], stdout=subprocess.DEVNULL, check=True)
    return children_cpu() - before


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Scanned:
    """One scan: seconds, seconds of CPU of all its processes, highest resident memory of one of them in bytes."""

    seconds: float
    cpu: float
    peak: int


def scanned(folder: Path) -> Scanned:
    with tempfile.TemporaryDirectory(prefix="mop-scan-") as runtime:
        before = children_cpu()
        seconds, peak = asyncio.run(scan(folder, Path(runtime)))
        return Scanned(seconds, children_cpu() - before, peak)


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


def make_npy(folder: Path, size: int) -> None:
    np.save(folder / "weights.npy", np.frombuffer(b"".join(floats(size)), dtype=np.float32).reshape(-1, 100))


def make_torch(folder: Path, size: int) -> None:
    """As torch.save does it: a zip without compression, its tensors' storages beside a pickle of plain values."""
    with zipfile.ZipFile(folder / "weights.pt", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("weights/data.pkl", pickle.dumps({"layers": ["first", "second"]}, protocol=2))
        for number in range(2):
            archive.writestr(f"weights/data/{number}", b"".join(floats(size // 2)))
        archive.writestr("weights/version", "3\n")


def make_onnx(folder: Path, size: int) -> None:
    """A ModelProto with one initialiser of raw data, and the opset that it is of."""
    tensor = field(2, 1) + field(8, b"weight") + field(9, b"".join(floats(size)))
    graph = field(2, b"graph") + field(5, tensor)
    model = field(1, 8) + field(8, field(1, b"") + field(2, 17)) + field(7, graph)
    (folder / "model.onnx").write_bytes(model)


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def pickled(size: int) -> bytes:
    return pickle.dumps(
        {
            "weights": [bytes(block) for block in floats(size * 9 // 10)],
            "vocabulary": {f"word-{number}": number for number in range(min(500_000, size // 200))},
            "text": words(size // 20),
        }
    )


def make_pickle(folder: Path, size: int) -> None:
    (folder / "model.pkl").write_bytes(pickled(size))


def make_packed_pickle(folder: Path, size: int) -> None:
    (folder / "model.pkl.gz").write_bytes(gzip.compress(pickled(size), compresslevel=1))


def make_tar(folder: Path, size: int) -> None:
    with tarfile.open(folder / "weights.tar", "w") as archive:
        for number, block in enumerate(floats(size)):
            content = io.BytesIO()
            np.save(content, np.frombuffer(block, dtype=np.float32))
            member = tarfile.TarInfo(f"{number}.npy")
            member.size = len(content.getvalue())
            content.seek(0)
            archive.addfile(member, content)


def make_small(folder: Path, size: int) -> None:
    for number in range(max(1, size // SMALL_FILE)):
        (folder / f"{number:05}.txt").write_text(words(SMALL_FILE, seed=number))


KINDS: dict[str, tuple[float, float, Callable[[Path, int], None]]] = {
    "safetensors": (0.15, 1.0, make_safetensors),
    "npy": (0.15, 1.0, make_npy),
    "npz": (0.15, 1.0, make_npz),
    "torch": (0.15, 1.0, make_torch),
    "onnx": (0.15, 1.0, make_onnx),
    "raw floats": (0.15, 1.0, make_raw),
    "pickle": (0.03, 0.2, make_pickle),
    "pickle.gz": (0.03, 0.2, make_packed_pickle),
    "tar of npy": (0.03, 0.2, make_tar),
    "small texts": (0.01, 0.0, make_small),
}
"""By name: the share of the bytes, the least ratio to sha256sum, and what makes them."""


if __name__ == "__main__":
    sys.exit(main())
