"""Bytes that arrived once are not asked for again: within a file, and after the process was killed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mop.errors import ModelUrlForbiddenError, OutsideFault, SourceChangedError, StorageUnavailableError
from mop.storage import (
    AccountKey,
    ArtifactStore,
    AzureAccount,
    Manifest,
    RetryPolicy,
    SnapshotLimits,
    SnapshotResult,
    SourceFile,
    StorageConfig,
    open_source,
    run_snapshot_job,
    take_snapshot,
)
from mop.storage.journal import ResumeJournal
from support.waiting import wait_for

from .conftest import QUICK, quick_config
from .fault_server import FaultServer, Reply, Request, failure

MIB = 1 << 20
BIG = bytes(range(256)) * 80_000  # 20,480,000 bytes: three checkpoints
STUBBORN = replace(QUICK, attempts=3)


def account(server: FaultServer) -> AzureAccount:
    return AzureAccount("account", server.endpoint, AccountKey("c2VjcmV0"))


async def snapshot(server: FaultServer, store: ArtifactStore, *, retry: RetryPolicy = STUBBORN) -> Manifest:
    source = open_source(f"{server.endpoint}/container/m", quick_config(account(server), retry=retry))
    assert store.folder is not None
    journal = ResumeJournal.open(store.folder / "journals", server.endpoint)
    try:
        return await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None, journal=journal)
    finally:
        journal.close()
        await source.close()


async def run_job(
    server: FaultServer, store: Path, log: Callable[[str], None], *, pids: list[int] | None = None
) -> SnapshotResult:
    return await run_snapshot_job(
        f"{server.endpoint}/container/m",
        config=quick_config(account(server), retry=StorageConfig().retry),
        store=store,
        limits=SnapshotLimits(),
        log=log,
        started=(pids if pids is not None else []).append,
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_in(store: Path) -> list[str]:
    return sorted(path.name for folder in ("incoming", "journals") for path in (store / folder).glob("*"))


@pytest.mark.parametrize("stall", [True, False])
async def test_a_body_that_breaks_off_again_and_again_is_continued_without_a_byte_twice(
    fault_server: FaultServer, store: ArtifactStore, *, stall: bool
) -> None:
    fault_server.blobs = {"m/big": BIG}
    cuts = [0, 1, 3 * MIB, 7_000_001, 0]

    def cut(request: Request) -> Reply | None:
        return (
            fault_server.honest(request, body_sent=cuts.pop(), stall=stall) if not request.is_listing and cuts else None
        )

    fault_server.fault = cut
    [file] = (await snapshot(fault_server, store)).files
    assert file.sha256 == sha256(BIG)
    assert fault_server.sent == {"m/big": len(BIG)}
    positions = [0, 0, 7_000_001, 7_000_001 + 3 * MIB, 7_000_002 + 3 * MIB, 7_000_002 + 3 * MIB]
    assert [read.headers["x-ms-range"] for read in fault_server.reads] == [
        f"bytes={position}-{len(BIG) - 1}" for position in positions
    ]
    assert {read.headers["if-match"] for read in fault_server.reads} == {"0x00000005"}


async def test_a_connection_that_is_reset_and_a_busy_storage_are_asked_again(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/a": b"content"}
    faults = [Reply(reset=True), failure(503, "ServerBusy"), failure(429, retry_after="0")]
    fault_server.fault = lambda request: faults.pop() if faults and not request.is_listing else None
    await snapshot(fault_server, store)
    assert len(fault_server.reads) == 4


async def test_a_body_that_drips_is_given_up_after_the_configured_tries(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/big": BIG}
    fault_server.fault = lambda request: None if request.is_listing else fault_server.honest(request, body_sent=10)
    with pytest.raises(StorageUnavailableError, match="no complete answer"):
        await snapshot(fault_server, store)
    assert len(fault_server.reads) == 1 + STUBBORN.attempts
    assert fault_server.sent == {"m/big": 10 * (1 + STUBBORN.attempts)}


@pytest.fixture
def held(fault_server: FaultServer) -> tuple[FaultServer, asyncio.Event]:
    """Three files come, the big one breaks off after 18,000,000 bytes and hangs, one never comes."""
    fault_server.blobs = {"m/a": b"a" * 100_000, "m/b": b"b" * 3 * MIB, "m/c": b"", "m/big": BIG, "m/slow": b"s" * MIB}
    stuck = asyncio.Event()

    def hold(request: Request) -> Reply | None:
        if request.path.endswith("big"):
            stuck.set()
            return fault_server.honest(request, body_sent=18_000_000, stall=True)
        return fault_server.honest(request, body_sent=0, stall=True) if request.path.endswith("slow") else None

    fault_server.fault = hold
    return fault_server, stuck


async def kill_when_stuck(server: FaultServer, stuck: asyncio.Event, store: Path) -> int:
    """Kill the job when nothing more is written; gives the bytes of the big file that the journal knows."""
    pids: list[int] = []
    job = asyncio.create_task(run_job(server, store, lambda _line: None, pids=pids))
    await asyncio.wait_for(stuck.wait(), timeout=60)
    await asyncio.to_thread(wait_for, lambda: _is_stuck(_noted(store)), seconds=60, what="the last checkpoint")
    os.kill(pids[0], signal.SIGKILL)
    with pytest.raises(OutsideFault, match="status -9"):
        await job
    return _noted(store)["big"]


def _is_stuck(noted: dict[str, int]) -> bool:
    return {"a", "b"} <= noted.keys() and noted.get("big", 0) > 16 * MIB


def _noted(store: Path) -> dict[str, int]:
    """The bytes of each file that the journal knows."""
    noted: dict[str, int] = {}
    for line in b"".join(path.read_bytes() for path in store.glob("journals/*")).splitlines():
        if line.endswith(b"]"):
            path, _, _, size, _ = json.loads(line)
            noted[path] = size
    return noted


@pytest.mark.chaos
async def test_a_killed_snapshot_goes_on_where_its_last_checkpoint_stands(
    held: tuple[FaultServer, asyncio.Event], tmp_path: Path
) -> None:
    server, stuck = held
    checkpoint = await kill_when_stuck(server, stuck, tmp_path / "store")
    server.sent.clear()
    server.fault = lambda _request: None
    lines: list[str] = []
    result = await run_job(server, tmp_path / "store", lines.append)
    assert result.bytes == sum(map(len, server.blobs.values()))
    assert server.sent == {"m/big": len(BIG) - checkpoint, "m/slow": MIB}
    assert f"{100_000 + 3 * MIB + checkpoint:,} bytes were there from an interrupted snapshot." in lines
    store = ArtifactStore.local(tmp_path / "store")
    manifest = await store.get_manifest(result.digest)
    assert {f"m/{file.path}": file.sha256 for file in manifest.files} == {
        name: sha256(content) for name, content in server.blobs.items()
    }
    assert left_in(tmp_path / "store") == []


@pytest.mark.chaos
@pytest.mark.parametrize("damage", ["blob", "part", "journal"])
async def test_what_a_killed_snapshot_left_is_proved_before_it_is_used(
    held: tuple[FaultServer, asyncio.Event], tmp_path: Path, damage: str
) -> None:
    server, stuck = held
    store = tmp_path / "store"
    await kill_when_stuck(server, stuck, store)
    [part] = [path for path in store.glob("incoming/part-*") if path.stat().st_size > MIB]
    [journal] = store.glob("journals/*")
    [blob] = [path for path in store.glob("blobs/*/*/*") if path.stat().st_size == 3 * MIB]
    if damage == "blob":
        _flip(blob, at=5)
    elif damage == "part":
        _flip(part, at=5)
    else:
        # the line of a file, which stands anywhere: the files are read beside each other
        lines = [
            line.replace(b'", ', b'", 1') if line.startswith(b'["a"') else line
            for line in journal.read_bytes().splitlines(keepends=True)
        ]
        journal.write_bytes(b"".join(lines) + b'["m/a", 1, "x"\n[[[[\n\xff')
    server.sent.clear()
    server.fault = lambda _request: None
    result = await run_job(server, store, lambda _line: None)
    manifest = await ArtifactStore.local(store).get_manifest(result.digest)
    assert {file.path: file.sha256 for file in manifest.files} == {
        name.removeprefix("m/"): sha256(content) for name, content in server.blobs.items()
    }
    assert sha256(blob.read_bytes()) == sha256(server.blobs["m/b"])
    again = {"blob": "m/b", "part": "m/big", "journal": "m/a"}[damage]
    assert server.sent[again] == len(server.blobs[again])


def _flip(path: Path, *, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.chaos
async def test_a_file_that_changed_after_the_kill_is_read_anew(
    held: tuple[FaultServer, asyncio.Event], tmp_path: Path
) -> None:
    server, stuck = held
    await kill_when_stuck(server, stuck, tmp_path / "store")
    server.blobs["m/a"], server.etags["m/a"] = b"A" * 100_000, "0xNEW"  # the same size
    server.sent.clear()
    server.fault = lambda _request: None
    result = await run_job(server, tmp_path / "store", lambda _line: None)
    manifest = await ArtifactStore.local(tmp_path / "store").get_manifest(result.digest)
    assert next(file.sha256 for file in manifest.files if file.path == "a") == sha256(b"A" * 100_000)
    assert server.sent["m/a"] == 100_000


async def test_a_storage_out_of_reach_leaves_the_part_and_every_other_failure_removes_it(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    assert store.folder is not None
    fault_server.blobs = {"m/big": BIG}
    last = failure(503)

    def cut(request: Request) -> Reply | None:
        if request.is_listing:
            return None
        first = request.headers["x-ms-range"].startswith("bytes=0-")
        return fault_server.honest(request, body_sent=9 * MIB) if first else last

    fault_server.fault = cut
    with pytest.raises(StorageUnavailableError):
        await snapshot(fault_server, store, retry=QUICK)
    assert len(list(store.folder.glob("incoming/part-*"))) == 1
    last = failure(403, "AuthorizationPermissionMismatch")
    fault_server.sent.clear()
    with pytest.raises(ModelUrlForbiddenError):
        await snapshot(fault_server, store, retry=QUICK)
    assert fault_server.sent == {}
    assert list(store.folder.glob("incoming/*")) == []


async def test_a_final_failure_removes_the_parts_of_the_files_beside_it(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/big": BIG, "m/secret": b"s"}
    arriving = asyncio.Event()

    def refuse(request: Request) -> Reply | None:
        if request.is_listing:
            return None
        if request.path.endswith("big"):
            arriving.set()
            return fault_server.honest(request, body_sent=12 * MIB, stall=True)
        return failure(403, "AuthorizationPermissionMismatch") if arriving.is_set() else failure(503)

    fault_server.fault = refuse
    with pytest.raises(ModelUrlForbiddenError):
        await snapshot(fault_server, store, retry=replace(QUICK, attempts=1000, first_backoff_s=0))
    assert store.folder is not None
    assert list(store.folder.glob("incoming/*")) == []


async def test_two_snapshots_of_one_folder_at_once_both_end_right(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/big": BIG, "m/a": b"a"}
    one, two = await asyncio.gather(snapshot(fault_server, store), snapshot(fault_server, store))
    assert one.digest == two.digest
    assert store.folder is not None
    assert left_in(store.folder) == []


def test_a_journal_s_name_and_parts_come_from_hashes_and_old_journals_go(tmp_path: Path) -> None:
    hostile = SourceFile("../../etc/passwd\n[", 3, '"\n')
    journal = ResumeJournal.open(tmp_path / "journals", "https://x/../../evil\n")
    journal.note(hostile, 2, "0" * 64)
    journal.note(SourceFile("no-etag", 3, ""), 3, "0" * 64)
    assert journal.part_name(hostile) != journal.part_name(replace(hostile, etag="other"))
    assert journal.part_name(hostile).removeprefix("part-").isalnum()
    journal.close()
    again = ResumeJournal.open(tmp_path / "journals", "https://x/../../evil\n")
    assert again.known(hostile) == {2: "0" * 64}
    assert again.known(SourceFile("no-etag", 3, "")) == {}
    assert again.known(replace(hostile, size=4)) == {}
    again.close()
    [path] = (tmp_path / "journals").iterdir()
    assert path.stem.isalnum()
    day = 24 * 3600 + 60
    os.utime(path, (time.time() - day, time.time() - day))
    other = ResumeJournal.open(tmp_path / "journals", "https://other")
    other.finish()
    other.close()
    assert list((tmp_path / "journals").iterdir()) == []


async def test_a_folder_that_never_stands_still_is_given_up_and_leaves_no_part(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/big": BIG}
    versions = iter(range(100))

    def change(request: Request) -> Reply | None:
        if request.is_listing:
            return None
        cut = fault_server.honest(request, body_sent=9 * MIB)
        fault_server.etags["m/big"] = f"0x{next(versions)}"
        return cut

    fault_server.fault = change
    with pytest.raises(SourceChangedError, match="during each of 3 readings"):
        await snapshot(fault_server, store)
    assert len(fault_server.reads) == 6
    assert store.folder is not None
    assert list(store.folder.glob("incoming/*")) == []
