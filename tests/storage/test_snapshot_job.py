from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from mop.errors import DiskFullError, ModelUrlNotFoundError, OutsideFault, from_dict
from mop.storage import (
    AccountKey,
    AzureAccount,
    RetryPolicy,
    SnapshotLimits,
    SnapshotProgress,
    StorageConfig,
    materialise,
    run_snapshot_job,
    store_folder,
)
from mop.storage.artifact_store import ArtifactStore

from .conftest import quick_config
from .fault_server import FaultServer, Reply, Request

WriteTree = Callable[[Path, dict[str, bytes]], Path]


def request_for(root: Path, url: str, store: Path) -> bytes:
    return json.dumps(
        {
            "url": url,
            "config": StorageConfig(file_roots=(root,)).to_json(),
            "store": str(store),
            "limits": asdict(SnapshotLimits()),
        }
    ).encode()


async def test_the_job_s_result_can_be_materialised(root: Path, tmp_path: Path, write_tree: WriteTree) -> None:
    write_tree(root / "m", {"model/a": b"x" * 2_000_000, "src/b": b"y"})
    lines: list[str] = []
    progress: list[SnapshotProgress] = []
    result = await run_snapshot_job(
        f"file://{root}/m",
        config=StorageConfig(file_roots=(root,)),
        store=tmp_path / "store",
        limits=SnapshotLimits(),
        log=lines.append,
        progress=progress.append,
    )
    assert (result.files, result.bytes) == (2, 2_000_001)
    assert progress[-1].files_done == 2
    assert any(result.digest in line for line in lines)
    store = ArtifactStore.local(tmp_path / "store")
    await materialise(result.digest, store, tmp_path / "out", log=lines.append)
    assert (tmp_path / "out/src/b").read_bytes() == b"y"


async def test_the_job_s_error_is_the_catalogue_s(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUrlNotFoundError, match="no folder") as caught:
        await run_snapshot_job(
            f"file://{root}/missing",
            config=StorageConfig(file_roots=(root,)),
            store=tmp_path / "store",
            limits=SnapshotLimits(),
            log=lambda _line: None,
        )
    assert caught.value.hint


def _stalled(request: Request) -> Reply | None:
    return None if request.is_listing else Reply(206, {"Content-Range": "bytes 0-9/10"}, b"0123456789", 3, stall=True)


async def _job_stuck_in_a_download(server: FaultServer, tmp_path: Path, pids: list[int]) -> asyncio.Task[object]:
    server.blobs = {"m/a": b"0123456789"}
    reading = asyncio.Event()

    def fault(request: Request) -> Reply | None:
        if not request.is_listing:
            reading.set()
        return _stalled(request)

    server.fault = fault
    account = AzureAccount("account", server.endpoint, AccountKey("c2VjcmV0LWtleQ=="))
    task: asyncio.Task[object] = asyncio.create_task(
        run_snapshot_job(
            f"{server.endpoint}/container/m",
            config=quick_config(account, retry=StorageConfig().retry),
            store=tmp_path / "store",
            limits=SnapshotLimits(),
            log=lambda _line: None,
            started=pids.append,
        )
    )
    await asyncio.wait_for(reading.wait(), timeout=30)
    return task


async def test_a_cancelled_caller_leaves_no_process(fault_server: FaultServer, tmp_path: Path) -> None:
    pids: list[int] = []
    task = await _job_stuck_in_a_download(fault_server, tmp_path, pids)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_a_killed_job_is_an_outside_fault_and_its_secret_was_never_in_its_arguments(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    pids: list[int] = []
    task = await _job_stuck_in_a_download(fault_server, tmp_path, pids)
    told = _arguments_and_environment(pids[0])
    assert b"c2VjcmV0" not in told
    os.kill(pids[0], 9)
    with pytest.raises(OutsideFault, match="status -9"):
        await task
    assert list((tmp_path / "store").rglob("*.json")) == []


def _arguments_and_environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.chaos
async def test_the_job_ends_when_its_parent_is_killed(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.blobs = {"m/a": b"0123456789"}
    fault_server.fault = _stalled
    account = AzureAccount("account", fault_server.endpoint, AccountKey("c2VjcmV0LWtleQ=="))
    parent = (
        "import asyncio, json, os, pathlib, sys\n"
        "from mop.storage import SnapshotLimits, StorageConfig, run_snapshot_job\n"
        "request = json.load(sys.stdin)\n"
        "die = lambda _line: os.kill(os.getpid(), 9)\n"
        "asyncio.run(run_snapshot_job(request['url'], config=StorageConfig.from_json(request['config']),\n"
        "    store=pathlib.Path(request['store']), limits=SnapshotLimits(), log=die))\n"
    )
    request = {
        "url": f"{fault_server.endpoint}/container/m",
        "config": StorageConfig(azure_accounts=(account,)).to_json(),
        "store": str(tmp_path / "store"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    # The job inherits the error pipe: it closes only when parent and job have both ended.
    _, errors = await asyncio.wait_for(process.communicate(json.dumps(request).encode()), timeout=20)
    assert process.returncode == -9, errors


def on_a_small_disk(folder: Path, size: int) -> list[str]:
    return ["bwrap", "--dev-bind", "/", "/", "--size", str(size), "--tmpfs", str(folder)]


@pytest.mark.sandbox
def test_a_full_disk_is_the_platform_s_fault(root: Path, tmp_path: Path, write_tree: WriteTree) -> None:
    write_tree(root / "m", {"model/a": b"x" * 3_000_000})
    store = tmp_path / "store"
    store.mkdir()
    job = subprocess.run(
        [*on_a_small_disk(store, 1_000_000), sys.executable, "-m", "mop.storage.snapshot_job"],
        input=request_for(root, f"file://{root}/m", store),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert job.returncode == 1, job.stderr
    error = from_dict(json.loads(job.stdout.splitlines()[-1])["error"])
    assert isinstance(error, DiskFullError)
    assert "No space left" in error.message


@pytest.mark.sandbox
async def test_a_full_disk_at_the_target_is_the_platform_s_fault_and_leaves_nothing(
    root: Path, tmp_path: Path, write_tree: WriteTree
) -> None:
    folder = write_tree(root / "m", {"model/a": b"x" * 3_000_000})
    store = ArtifactStore.local(tmp_path / "store")
    manifest = await store_folder(folder, store, limits=SnapshotLimits(), log=lambda _line: None)
    target = tmp_path / "small"
    target.mkdir()
    script = (
        "import asyncio, pathlib, sys\n"
        "from mop.errors import DiskFullError\n"
        "from mop.storage import ArtifactStore, materialise\n"
        "store, target = map(pathlib.Path, sys.argv[2:])\n"
        "job = materialise(sys.argv[1], ArtifactStore.local(store), target / 'out', log=print)\n"
        "try: asyncio.run(job)\n"
        "except DiskFullError: print(sorted(path.name for path in target.iterdir()))\n"
    )
    arguments = [sys.executable, "-c", script, manifest.digest, str(tmp_path / "store"), str(target)]
    process = await asyncio.create_subprocess_exec(
        *on_a_small_disk(target, 1_000_000), *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.decode().strip() == "['out.digest']"


MEASURED = (
    "import pathlib, re, sys\n"
    "from mop.storage.snapshot_job import main\n"
    "status = main()\n"
    "peak = re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('/proc/self/status').read_text())\n"
    "print(peak[1], file=sys.stderr)\n"
    "sys.exit(status)\n"
)
GROWTH_KB = 30_000  # buffers of the four files that are read side by side


async def peak_kb(request: bytes) -> int:
    """The highest resident memory of one snapshot process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        MEASURED,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(request), timeout=120)
    assert process.returncode == 0, [*output.splitlines()[-1:], errors]
    return int(errors)


async def test_memory_does_not_grow_with_a_local_folder(root: Path, tmp_path: Path) -> None:
    peaks = []
    for size in (2_000_000, 200_000_000):
        with (root / "big").open("wb") as big:  # sparse: nothing is written for it here
            big.truncate(size)
        peaks.append(await peak_kb(request_for(root, f"file://{root}", tmp_path / str(size))))
    assert peaks[1] < peaks[0] + GROWTH_KB


async def test_memory_does_not_grow_with_a_folder_in_azure(fault_server: FaultServer, tmp_path: Path) -> None:
    content = bytes(20_000_000)  # one object for all blobs: this process needs memory, too
    config = quick_config(AzureAccount("account", fault_server.endpoint, AccountKey("a2V5")), retry=RetryPolicy())
    peaks = []
    for count in (1, 10):
        fault_server.blobs = {f"m/{number}": content for number in range(count)}
        request = {
            "url": f"{fault_server.endpoint}/container/m",
            "config": config.to_json(),
            "store": str(tmp_path / str(count)),
            "limits": asdict(SnapshotLimits()),
        }
        peaks.append(await peak_kb(json.dumps(request).encode()))
    assert peaks[1] < peaks[0] + GROWTH_KB
