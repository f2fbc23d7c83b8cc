"""`python -m mop.storage.snapshot_job`: one snapshot in a process of its own, which can be killed at any moment.

Standard input: one JSON object {"url", "config", "store", "limits", "only"}; credentials come this way only, never in
argv.
With "parent", a process id, the job ends when that is no longer its parent.
Standard output: JSON lines {"log"} | {"progress"} | and last {"result"} or {"error"}.
Exit status: 0 with a result, 1 with an error of the catalogue.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mop import failpoints
from mop.errors import MopError
from mop.storage.artifact_store import ArtifactStore
from mop.storage.config import SnapshotLimits, StorageConfig
from mop.storage.journal import ResumeJournal
from mop.storage.opening import open_source
from mop.storage.snapshot import take_snapshot
from mop.storage.urls import parse_url

_JOURNALS = "journals"
_LINE_CHARACTERS = 4000
_PARENT_CHECK_S = 1.0


def main() -> int:
    """Read the request, take the snapshot, tell the result."""
    request = json.load(sys.stdin)
    if request.get("failpoints"):
        failpoints.arm(Path(request["failpoints"]))
    try:
        result = asyncio.run(_run(request))
    except MopError as error:
        _tell("error", error.to_dict())
        return 1
    _tell("result", result)
    return 0


async def _run(request: Mapping[str, Any]) -> dict[str, Any]:
    watch = asyncio.create_task(_end_with_parent(request.get("parent", os.getppid())))
    folder = Path(request["store"])
    config = StorageConfig.from_json(request["config"])
    source = open_source(request["url"], config)
    store = ArtifactStore.local(folder)
    journal = ResumeJournal.open(folder / _JOURNALS, str(parse_url(request["url"], config)))
    try:
        manifest = await take_snapshot(
            source,
            store,
            limits=SnapshotLimits(**request["limits"]),
            log=lambda line: _tell("log", line[:_LINE_CHARACTERS]),
            progress=lambda progress: _tell("progress", asdict(progress)),
            journal=journal,
            only=request.get("only", ""),
        )
    finally:
        watch.cancel()
        journal.close()
        await source.close()
    return {"digest": manifest.digest, "files": len(manifest.files), "bytes": manifest.total_bytes}


async def _end_with_parent(parent: int) -> None:
    """A worker that was killed leaves no reader behind. PDEATHSIG would follow the thread that started us."""
    while os.getppid() == parent:  # noqa: ASYNC110  # the kernel offers no event for this without a thread's lifetime
        await asyncio.sleep(_PARENT_CHECK_S)
    os._exit(1)


def _tell(kind: str, value: object) -> None:
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
