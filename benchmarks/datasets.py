"""What the verification of a dataset's file costs: megabytes a second on one core, and its highest memory.

    .venv/bin/python benchmarks/datasets.py [--megabytes 300] [--only KIND ...] [--images] [--alone] [--json FILE]

Each kind of file is made by one process while another reads it: nothing large lies on a disk. Seconds are CPU time of
the reader. Beside it stands what one would write at once for the same purpose, on the same bytes: Python's csv module
with `strict=True` and UTF-8, and for images base64 and a full decode by Pillow; pandas and pyarrow too where they are
installed, although neither looks at what MOP looks at. Ratios are those of the run.

    text          English with 5 % of rows in other scripts, 205 bytes a row, one Binary column, one group column
    quoted        the same; every row stands in quotes, every third holds doubled quotes
    faulty        the same as text; each 100th row has a fault, of seven kinds in turn
    image         JPEG pictures of 28 kB; each 100th is cut off in the middle
    both          texts with two such pictures; each 100th row has one that is cut off

`--images` reads one large image of each format instead, for its memory: 50 million pixels, fewer where a format needs
more than `Limits.image_memory_bytes`, and two that are refused for that before they are decoded.

Fails when a fault is missed or invented, or a reader holds 300 MB or more. `--megabytes 3000` is the size that aims are
stated for.
"""

from __future__ import annotations

import argparse
import base64
import csv
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter

from mop.datasets.reading import DatasetSpec, LabelColumn, LabelType, Modality, verify

MB = 1_000_000
MOST_MEMORY = 300 * MB
AIMS = {"text": 200, "faulty": 60, "image": 60}
EACH = 100  # rows, of which one has a fault
WORDS = (
    *("the", "of", "and", "to", "in", "that", "it", "was", "for", "on", "are", "with", "as", "his", "they", "be", "at"),
    *("one", "have", "this", "from", "or", "had", "by", "word", "but", "what", "some", "we", "can", "out", "other"),
    *("were", "all", "there", "when", "up", "use", "your", "how", "said", "an", "each", "which", "their", "time"),
)
OTHER_SCRIPTS = (
    "naïve café",
    "погода сегодня хорошая",
    "今日は天気がいい",
    "الطقس جميل اليوم",
    "מזג האוויר נאה",
    "😀👍🏽",
)
LABEL = LabelColumn(header="label", label_type=LabelType.BINARY)


@dataclass(frozen=True)
class Cost:
    """One reader on one kind of file: bytes, seconds of CPU, highest resident bytes, rows, faulty rows."""

    reader: str
    kind: str
    size: int
    seconds: float
    peak: int
    rows: int
    faulty: int

    @property
    def speed(self) -> float:
        return self.size / MB / self.seconds


# What is read ------------------------------------------------------------------------------------------------


def texts(total: int) -> Iterator[bytes]:
    yield b"text\tlabel\tgroup\n"
    generator = random.Random(1)  # noqa: S311 - no secret
    made = number = 0
    starts = [" ".join(generator.choices(WORDS, k=generator.randint(20, 70))) for _ in range(2_000)]
    starts = [f"{start} {generator.choice(OTHER_SCRIPTS)}" if n % 20 == 0 else start for n, start in enumerate(starts)]
    while made < total:
        rows = [f"{start} {number + n}\t{n % 2}\tgroup {n % 12}\n" for n, start in enumerate(starts)]
        number += len(rows)
        block = "".join(rows).encode()
        made += len(block)
        yield block


def quoted(total: int) -> Iterator[bytes]:
    source = texts(total)
    yield next(source)
    for block in source:
        rows = []
        for n, row in enumerate(block.splitlines()):
            text, _, rest = row.partition(b"\t")
            rows.append(b'"%s%s"\t%s\n' % (text, b' said ""no""' if n % 3 == 0 else b"", rest))
        yield b"".join(rows)


FAULTS: tuple[Callable[[bytes], bytes], ...] = (
    lambda row: row.replace(b"\t", b" ", 1),
    lambda row: row + b"\tmore",
    lambda row: b'"' + row,
    lambda row: b"\xff" + row,
    lambda row: row[row.index(b"\t") :],
    lambda row: row.replace(b"\t1\t", b"\tyes\t").replace(b"\t0\t", b"\tno\t"),
    lambda row: row.replace(b" ", b"\r", 1),
)


def faulty(total: int) -> Iterator[bytes]:
    source = texts(total)
    yield next(source)
    for block in source:
        rows = block.split(b"\n")
        for place, n in enumerate(range(EACH // 2, len(rows) - 1, EACH)):
            rows[n] = FAULTS[place % len(FAULTS)](rows[n])
        yield b"\n".join(rows)


def pictures(count: int) -> list[tuple[bytes, bytes]]:
    """JPEG files of about 28 kB in base64, each whole and cut in the middle."""
    generator = random.Random(2)  # noqa: S311 - no secret
    made = []
    for _ in range(count):
        noise = Image.frombytes("RGB", (512, 384), generator.randbytes(512 * 384 * 3))
        picture = noise.filter(ImageFilter.GaussianBlur(generator.uniform(1.9, 2.3)))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=88)
        data = file.getvalue()
        made.append((base64.b64encode(data), base64.b64encode(data[: len(data) // 2])))
    return made


def images(total: int) -> Iterator[bytes]:
    yield b"base64_image\tfile_name\timage_width_pixels\timage_height_pixels\tlabel\n"
    made, number, stock = 0, 0, pictures(EACH)
    while made < total:
        for n, (whole, half) in enumerate(stock):
            row = b"%s\t%d.jpg\t512\t384\t%d\n" % (half if n == EACH // 2 else whole, number, n % 2)
            number, made = number + 1, made + len(row)
            yield row


def both(total: int) -> Iterator[bytes]:
    yield b"text\timage_0\timage_1\tlabel\n"
    made, number, stock = 0, 0, pictures(EACH)
    while made < total:
        for n, (whole, half) in enumerate(stock):
            other = half if n == EACH // 2 else stock[n - 1][0]
            row = b"number %d: ##{image_0} and ##{image_1}\t%s\t%s\t%d\n" % (number, whole, other, n % 2)
            number, made = number + 1, made + len(row)
            yield row


@dataclass(frozen=True)
class Large:
    """One large image: its format, size, frames and options; whether it is refused."""

    form: str
    size: tuple[int, int] = (8000, 6250)
    mode: str = "RGB"
    frames: int = 1
    refused: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    def file(self, _total: int) -> Iterator[bytes]:
        """A file of one row."""
        still = Image.new(self.mode, self.size)
        for n in range(40):
            still.paste(Image.new(self.mode, (50, 50), n * 6), (n * 37, n * 91))
        others = []
        for n in range(1, self.frames):
            others.append(still.copy())
            others[-1].paste(Image.new(self.mode, (200, 200), n * 9), (n * 50, n * 30))
        file = io.BytesIO()
        moving = {"save_all": True, "append_images": others} if others else {}
        still.save(file, self.form, **moving, **dict(self.options))
        yield b"base64_image\tfile_name\timage_width_pixels\timage_height_pixels\n"
        yield b"%s\tone.image\t%d\t%d\n" % (base64.b64encode(file.getvalue()), *self.size)


LARGE = {
    "jpeg": Large("JPEG"),
    "progressive": Large("JPEG", options=(("progressive", True),)),
    "all-colours": Large("JPEG", refused=True, options=(("progressive", True), ("subsampling", 0))),
    "png": Large("PNG"),
    "apng": Large("PNG", (2500, 2000), frames=10),
    "gif": Large("GIF", mode="P"),
    "gif-moves": Large("GIF", (2500, 2000), frames=10),
    "tiff": Large("TIFF", options=(("compression", "tiff_lzw"),)),
    "tiff-cmyk": Large("TIFF", mode="CMYK", options=(("compression", "tiff_lzw"),)),
    "webp": Large("WEBP", (4000, 3500)),
    "webp-moves": Large("WEBP", (2500, 2000), frames=10),
    "webp-50": Large("WEBP", refused=True),
}
WITH_FAULTS = ("faulty", "image", "both")
KINDS: dict[str, tuple[Callable[[int], Iterator[bytes]], DatasetSpec]] = {
    "text": (texts, DatasetSpec(modality=Modality.TEXT, labels=(LABEL,), group_columns=("group",))),
    "quoted": (quoted, DatasetSpec(modality=Modality.TEXT, labels=(LABEL,), group_columns=("group",))),
    "faulty": (faulty, DatasetSpec(modality=Modality.TEXT, labels=(LABEL,), group_columns=("group",))),
    "image": (images, DatasetSpec(modality=Modality.IMAGE, labels=(LABEL,))),
    "both": (both, DatasetSpec(modality=Modality.IMAGE_AND_TEXT, labels=(LABEL,))),
    **{name: (one.file, DatasetSpec(modality=Modality.IMAGE)) for name, one in LARGE.items()},
}


# Who reads it ------------------------------------------------------------------------------------------------


class Counted:
    """A pipe's end that counts what passes."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.size = 0

    def read(self, size: int = 1 << 20, /) -> bytes:
        data = os.read(self._pipe, size)
        self.size += len(data)
        return data


def by_mop(stream: Counted, kind: str) -> tuple[int, int]:
    report = verify(lambda: nullcontext(stream), KINDS[kind][1])
    return report.rows, sum(fault.count for fault in report.faults)


def by_exact_reader(stream: Counted, kind: str) -> tuple[int, int]:
    report = verify(lambda: nullcontext(stream), KINDS[kind][1], fast=False)
    return report.rows, sum(fault.count for fault in report.faults)


def by_csv(stream: Counted, kind: str) -> tuple[int, int]:
    """What one would write at once. It stops at the first row that is no csv, so it is not asked about faulty files."""
    csv.field_size_limit(100 * MB)
    source = io.BufferedReader(_Raw(stream), 1 << 20)
    reader = csv.reader(io.TextIOWrapper(source, encoding="utf-8", newline=""), delimiter="\t", strict=True)
    header = next(reader)
    columns = [place for place, name in enumerate(header) if name == "base64_image" or name.startswith("image_")]
    pictured = {"image": columns[:1], "both": columns}.get(kind, [])
    rows = faults = 0
    labels: dict[str, int] = {}
    for row in reader:
        rows += 1
        faults += len(row) != len(header) or "" in row
        labels[row[header.index("label")]] = labels.get(row[header.index("label")], 0) + 1
        for place in pictured:
            try:
                Image.open(io.BytesIO(base64.b64decode(row[place], validate=True))).load()
            except OSError:
                faults += 1
    return rows, faults


def by_pandas(stream: Counted, _kind: str) -> tuple[int, int]:
    import pandas as pd  # noqa: PLC0415 - only where it is installed

    rows = faults = 0
    for part in pd.read_csv(_Raw(stream), sep="\t", dtype=str, chunksize=100_000, keep_default_na=False):
        rows += len(part)
        faults += int((part == "").to_numpy().sum())
    return rows, faults


def by_pyarrow(stream: Counted, _kind: str) -> tuple[int, int]:
    import pyarrow as pa  # noqa: PLC0415 - only where it is installed
    from pyarrow import csv as pa_csv  # noqa: PLC0415 - as above

    rows = 0
    options = pa_csv.ParseOptions(delimiter="\t", newlines_in_values=True)
    for batch in pa_csv.open_csv(
        pa.PythonFile(_Raw(stream), mode="r"), parse_options=options, read_options=pa_csv.ReadOptions(use_threads=False)
    ):
        rows += batch.num_rows
    return rows, 0


class _Raw(io.RawIOBase):
    def __init__(self, stream: Counted) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


READERS: dict[str, Callable[[Counted, str], tuple[int, int]]] = {
    "mop": by_mop,
    "mop, exact reader alone": by_exact_reader,
    "csv": by_csv,
    "pandas": by_pandas,
    "pyarrow": by_pyarrow,
}


def readers_of(kind: str) -> list[str]:
    readers = ["mop"]
    if kind in {"text", "quoted", "faulty"}:
        readers.append("mop, exact reader alone")
    if kind != "faulty" and kind not in LARGE:
        readers.append("csv")
    if kind in {"text", "quoted"}:
        readers += [name for name in ("pandas", "pyarrow") if importlib.util.find_spec(name)]
    return readers


# The run -----------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=[kind for kind in KINDS if kind not in LARGE])
    parser.add_argument("--images", action="store_true")
    parser.add_argument("--alone", action="store_true", help="no other reader beside MOP's")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--make", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        return make(arguments.make, arguments.megabytes * MB)
    if arguments.read:
        return read(*arguments.read)
    costs: list[Cost] = []
    print(
        f"{'kind':<12}{'reader':<26}{'size':>10}{'CPU s':>9}{'MB/s':>7}{'peak RSS':>11}{'rows':>12}{'faulty':>9}  note"
    )
    for kind in LARGE if arguments.images else arguments.only:
        ours = None
        for reader in readers_of(kind)[: 1 if arguments.alone else None]:
            cost = measure(kind, reader, arguments.megabytes)
            costs.append(cost)
            ours = ours or cost
            note = f"mop is {ours.speed / cost.speed:.1f} times as fast" if cost is not ours else aim(cost)
            print(
                f"{kind:<12}{reader:<26}{cost.size / MB:>7,.0f} MB{cost.seconds:>9.2f}{cost.speed:>7.0f}"
                f"{cost.peak / MB:>8.0f} MB{cost.rows:>12,}{cost.faulty:>9,}  {note}",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2))
    return 1 if complaints(costs) else 0


def aim(cost: Cost) -> str:
    wanted = AIMS.get(cost.kind)
    return "" if wanted is None else f"aim: {wanted} MB/s, {'reached' if cost.speed >= wanted else 'MISSED'}"


def complaints(costs: list[Cost]) -> list[str]:
    found = []
    for cost in costs:
        if not cost.reader.startswith("mop"):
            continue
        expected = cost.rows // EACH if cost.kind in WITH_FAULTS else 0
        if cost.kind in LARGE and LARGE[cost.kind].refused:
            expected = cost.rows
        if cost.faulty != expected:
            found.append(f"{cost.kind}, {cost.reader}: {cost.faulty} faulty rows, {expected} were made")
        if cost.peak >= MOST_MEMORY:
            found.append(f"{cost.kind}, {cost.reader}: {cost.peak / MB:.0f} MB of memory")
    for complaint in found:
        print(complaint)
    return found


def measure(kind: str, reader: str, megabytes: int) -> Cost:
    """Make a file in one process and read it in another."""
    script = [sys.executable, __file__]
    with subprocess.Popen(
        [*script, "--make", kind, "--megabytes", str(megabytes)], stdout=subprocess.PIPE, pipesize=1 << 20
    ) as maker:
        done = subprocess.run(
            [*script, "--read", kind, reader], stdin=maker.stdout, stdout=subprocess.PIPE, check=True, text=True
        )
    return Cost(reader=reader, kind=kind, **json.loads(done.stdout))


def make(kind: str, total: int) -> int:
    for block in KINDS[kind][0](total):
        sys.stdout.buffer.write(block)
    sys.stdout.flush()
    return 0


def read(kind: str, reader: str) -> int:
    stream = Counted(sys.stdin.fileno())
    before = time.process_time()
    rows, faulty_rows = READERS[reader](stream, kind)
    seconds = time.process_time() - before
    # getrusage would tell the peak of the process that started this one, if that was higher
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    print(json.dumps({"size": stream.size, "seconds": seconds, "peak": peak, "rows": rows, "faulty": faulty_rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
