"""Running the snapshot job: start it, follow its lines, end it when the caller is cancelled."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mop import failpoints
from mop.errors import OutsideFault, from_dict
from mop.storage.config import SnapshotLimits, StorageConfig
from mop.storage.snapshot import SnapshotProgress

_LINE_BYTES = 1 << 20


@dataclass(frozen=True)
class SnapshotResult:
    """A stored snapshot: its digest, how many files, how many bytes."""

    digest: str
    files: int
    bytes: int


async def run_snapshot_job(
    url: str,
    *,
    config: StorageConfig,
    store: Path,
    limits: SnapshotLimits,
    log: Callable[[str], None],
    progress: Callable[[SnapshotProgress], None] | None = None,
    started: Callable[[int], None] | None = None,
    only: str = "",
) -> SnapshotResult:
    """Take a snapshot in a process of its own, in its own process group.

    Args:
        url: the model url.
        config: roots, accounts and their credentials; handed over on standard input.
        store: the folder of the local artifact store.
        limits: caps of the snapshot.
        log: takes one line.
        progress: takes the state of the snapshot, twice a second at most.
        started: takes the process id, which is its process group's id too.
        only: the path of the one file that is read; empty: the whole folder.

    Raises:
        MopError: what `open_source` and `take_snapshot` raise.
        OutsideFault: the process was killed before it told a result.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mop.storage.snapshot_job",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
        start_new_session=True,
    )
    try:
        if started is not None:
            started(process.pid)
        request = {
            "url": url,
            "config": config.to_json(),
            "store": str(store),
            "limits": asdict(limits),
            "only": only,
            "parent": os.getpid(),
            "failpoints": str(failpoints.armed() or ""),
        }
        outcome = await _follow(process, json.dumps(request).encode(), log, progress)
        status = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if "result" in outcome:
        return SnapshotResult(**outcome["result"])
    if "error" in outcome:
        raise from_dict(outcome["error"])
    raise OutsideFault(f"The snapshot process ended with status {status} before it told a result.")


async def _follow(
    process: asyncio.subprocess.Process,
    request: bytes,
    log: Callable[[str], None],
    progress: Callable[[SnapshotProgress], None] | None,
) -> Mapping[str, Any]:
    """Hand over the request and read lines until the last; gives the result or the error, or nothing."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process was started with pipes")
    with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its status tells
        process.stdin.write(request)
        await process.stdin.drain()
    process.stdin.close()
    outcome: Mapping[str, Any] = {}
    async for line in process.stdout:
        message = json.loads(line)
        if "log" in message:
            log(message["log"])
        elif "progress" not in message:
            outcome = message
        elif progress is not None:
            progress(SnapshotProgress(**message["progress"]))
    return outcome
