"""What a snapshot costs: megabytes a second, and whether its memory stays flat.

    .venv/bin/python benchmarks/snapshot.py [--bytes 5e9] [--small-bytes 5e7] [--folder /big/disk]

A folder of sparse files is snapshot as the pipeline does it, in a process of its own: once by its file:// url, once
from a blob server on this machine that serves the same files (its own process; no TLS). The process's memory is read
from /proc all the while. Everything is deleted at the end; the disk needs room for the store, the size and a little.

Fails when the large folder takes more than 1.3 times the memory of the small one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from mop.storage import Anonymous, AzureAccount, SnapshotLimits, StorageConfig, run_snapshot_job

FILES = 10
SAMPLE_SECONDS = 0.05
MEMORY_RATIO_MAX = 1.3
LISTING_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/xml"
SPARE_BYTES = 1_000_000_000
LIMITS = SnapshotLimits(total_bytes=1 << 50, file_bytes=1 << 50)


@dataclass(frozen=True)
class Cost:
    """One snapshot: bytes of the folder, seconds, highest resident memory of its process in bytes."""

    size: int
    seconds: float
    peak: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=float, default=5e9)
    parser.add_argument("--small-bytes", type=float, default=5e7)
    parser.add_argument("--folder", type=Path, default=None, help="a disk with room; default: the temporary folder")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        asyncio.run(serve(arguments.serve))
        return 0
    with tempfile.TemporaryDirectory(prefix="mop-snapshot-", dir=arguments.folder) as folder:
        free = shutil.disk_usage(folder).free
        if free < arguments.bytes + SPARE_BYTES:
            print(f"{folder} has {free / 1e9:.1f} GB free; {(arguments.bytes + SPARE_BYTES) / 1e9:.1f} GB are needed")
            return 2
        return asyncio.run(compare(Path(folder), int(arguments.small_bytes), int(arguments.bytes)))


async def compare(folder: Path, small: int, large: int) -> int:
    folders = {size: make_folder(folder / "models" / str(size), size) for size in (small, large)}
    costs: dict[str, dict[int, Cost]] = {"file": {}, "http": {}}
    async with blob_server(folder / "models") as endpoint:
        config = StorageConfig(
            file_roots=(folder / "models",), azure_accounts=(AzureAccount("account", endpoint, Anonymous()),)
        )
        for size in (small, large):
            for source, url in (("file", f"file://{folders[size]}"), ("http", f"{endpoint}/container/{size}")):
                costs[source][size] = await snapshot(url, config, folder / "store", size)
                shutil.rmtree(folder / "store")
    print(f"{'source':<8}{'folder':>12}{'seconds':>10}{'MB/s':>8}{'peak RSS':>12}{'of small':>10}")
    worst = 0.0
    for source, by_size in costs.items():
        for size, cost in by_size.items():
            ratio = cost.peak / by_size[small].peak
            worst = max(worst, ratio)
            print(
                f"{source:<8}{size / 1e6:>9,.0f} MB{cost.seconds:>10.2f}{size / 1e6 / cost.seconds:>8.0f}"
                f"{cost.peak / 1e6:>9.1f} MB{ratio:>10.2f}"
            )
    if worst > MEMORY_RATIO_MAX:
        print(f"memory grows with the folder: {worst:.2f} times, more than {MEMORY_RATIO_MAX}")
        return 1
    return 0


def make_folder(folder: Path, size: int) -> Path:
    """Sparse files of together `size` bytes, no two alike."""
    folder.mkdir(parents=True)
    for number in range(FILES):
        with (folder / f"part-{number}.bin").open("wb") as file:
            file.write(f"{size} {number}".encode())
            file.truncate(size // FILES)
    return folder


async def snapshot(url: str, config: StorageConfig, store: Path, size: int) -> Cost:
    pids: list[int] = []
    started = time.perf_counter()
    job = asyncio.create_task(
        run_snapshot_job(url, config=config, store=store, limits=LIMITS, log=lambda _line: None, started=pids.append)
    )
    peak = 0
    while not job.done():
        await asyncio.wait([job], timeout=SAMPLE_SECONDS)
        if pids:
            peak = max(peak, resident(pids[0]))
    result = await job
    seconds = time.perf_counter() - started
    assert result.bytes == size // FILES * FILES
    return Cost(size, seconds, peak)


def resident(pid: int) -> int:
    """The highest resident memory of a process so far, in bytes; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")] or ["VmHWM: 0 kB"]
    return int(line.split()[1]) * 1024


# A blob server: what a snapshot asks of Azure, and nothing else ------------------------------------------------


@asynccontextmanager
async def blob_server(root: Path) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", str(root), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def serve(root: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            target = urlsplit(head.split(b" ")[1].decode())
            query = parse_qs(target.query)
            if "comp" in query:
                body = listing(root, query["prefix"][0])
                writer.write(f"{LISTING_HEAD}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            else:
                await send_range(writer, root / unquote(target.path).removeprefix("/account/container/"), head)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/account", flush=True)
    await server.serve_forever()


def listing(root: Path, prefix: str) -> bytes:
    rows = "".join(
        f"<Blob><Name>{escape(prefix + path.name)}</Name><Properties><Etag>0x1</Etag>"
        f"<Content-Length>{path.stat().st_size}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
        for path in sorted((root / prefix).iterdir())
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://x/" ContainerName="c">'
        f"<Blobs>{rows}</Blobs><NextMarker/></EnumerationResults>"
    ).encode()


async def send_range(writer: asyncio.StreamWriter, path: Path, head: bytes) -> None:
    [asked] = [line for line in head.decode().lower().split("\r\n") if line.startswith("x-ms-range")]
    first, last = map(int, asked.partition("bytes=")[2].split("-"))
    length = last - first + 1
    with path.open("rb") as file:  # sparse: no disk is asked
        writer.write(
            f"HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\nETag: 0x1\r\n"
            f"Content-Range: bytes {first}-{last}/{os.fstat(file.fileno()).st_size}\r\n\r\n".encode()
        )
        await asyncio.get_running_loop().sendfile(writer.transport, file, first, length)


if __name__ == "__main__":
    sys.exit(main())
