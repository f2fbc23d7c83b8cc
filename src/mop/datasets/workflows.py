"""The durable reading of a file: snapshot, verification in the cage, comparison with other files.

Each step may run again after a crash: a snapshot and digests are found by their content, and statuses are entered once
per attempt. No outcome of a step holds anything of the file: the engine keeps outcomes in its database.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from dbos import DBOS
from django.conf import settings

from mop import failpoints
from mop.datasets.area import VERIFY
from mop.datasets.caged import DIGESTS, CagedVerification, verify_in_cage
from mop.datasets.keyed import keyed_digest, reading_seed, seal_digests
from mop.datasets.models import Reading
from mop.datasets.readings import (
    ReadingJob,
    claim,
    conclude,
    store_progress,
    store_snapshot,
    store_verification,
    wanted_readings,
)
from mop.datasets.shared_rows import count_shared, readings_to_compare, store_shared
from mop.datasets.sources import FILE_NAME
from mop.engine.database import in_database
from mop.engine.steps import Outcome, concluded, guarded
from mop.engine.watch import Run, Watch
from mop.errors import ArtifactDamagedError, StorageUnavailableError
from mop.hosting.this_host import host_name, host_tools
from mop.hosting.tools import HostTools, host_lock
from mop.sources.storage_settings import storage_config
from mop.storage import SnapshotLimits
from mop.storage.manifest import Manifest, ManifestFile
from mop.storage.snapshot import SnapshotProgress
from mop.storage.snapshot_process import run_snapshot_job

READ, VERIFIED = "reading", "verifying"
_SCRATCH = "dataset-scratch"
_CHUNK = 1 << 20
_TELL_SECONDS = 1.0

logger = logging.getLogger(__name__)
watch = Watch("dataset reading", wanted_readings)


@DBOS.workflow(name=VERIFY.name)
async def verify(reading_id: str, tries: int) -> str:
    """Bring one try of a reading to its end.

    Returns:
        `done`, the status that its datasets ended in, `waits`, or `stale` when nobody waits for it.
    """
    for step in (fetch_step, verify_step, compare_step):
        outcome = await step(reading_id, tries)
        if outcome is not None:
            return await conclude_step(reading_id, tries, outcome)
    return "done"


@DBOS.step(name="datasets.fetch", preemptible=True)
async def fetch_step(reading_id: str, tries: int) -> Outcome:
    """Copy dataset.csv into the artifact store, as it stands there now."""
    return await _on_job(_fetch, reading_id, tries)


@DBOS.step(name="datasets.verify.file", preemptible=True)
async def verify_step(reading_id: str, tries: int) -> Outcome:
    """Verify the copy in the cage, and let its datasets enter their statuses."""
    return await _on_job(_verify, reading_id, tries)


@DBOS.step(name="datasets.compare")
async def compare_step(reading_id: str, tries: int) -> Outcome:  # noqa: ARG001 - as the other steps
    """Count the rows that the file shares with others. Nobody waits for it, so it fails in the log alone."""
    try:
        await _compare(reading_id)
    except (OSError, ArtifactDamagedError) as error:
        logger.warning("reading %s could not be compared with others: %s", reading_id, type(error).__name__)
    return None


@DBOS.step(name="datasets.conclude")
async def conclude_step(reading_id: str, tries: int, outcome: Outcome) -> str:
    """Write how a failed try ended."""
    return await concluded(outcome, failed=functools.partial(conclude, reading_id, tries))


async def _on_job(step: Callable[[ReadingJob], Coroutine[None, None, None]], reading_id: str, tries: int) -> Outcome:
    async def work() -> None:
        await step(await in_database(claim)(reading_id, tries, host_name()))

    return await guarded(Run(reading_id, tries), work, watch=watch)


async def _fetch(job: ReadingJob) -> None:
    if job.artifact_digest:
        return
    async with host_lock().shared(logger.info):
        tools = await host_tools()
        async with _told(job, READ) as tell:

            def progress(snapshot: SnapshotProgress) -> None:
                tell(snapshot.bytes_done, snapshot.bytes_total)

            try:
                async with asyncio.timeout(settings.MOP_FETCH_DEADLINE):
                    snapshot = await run_snapshot_job(
                        job.url,
                        config=storage_config(),
                        store=tools.artifact_folder,
                        limits=SnapshotLimits(
                            total_bytes=settings.MOP_DATASET_BYTES_MAX, file_bytes=settings.MOP_DATASET_BYTES_MAX
                        ),
                        only=FILE_NAME,
                        log=_quiet,
                        progress=progress,
                    )
            except TimeoutError:
                raise StorageUnavailableError(
                    f"The file was not read within {settings.MOP_FETCH_DEADLINE:.0f} s."
                ) from None
        (file,) = (await tools.artifacts.get_manifest(snapshot.digest)).files
        failpoints.hit("before dataset snapshot")
        await in_database(store_snapshot)(
            job,
            digest=snapshot.digest,
            sha256=file.sha256,
            size=file.size,
            fingerprint=keyed_digest("fingerprint", file.sha256),
        )
        failpoints.hit("after dataset snapshot")


async def _verify(job: ReadingJob) -> None:
    async with host_lock().shared(logger.info):
        tools = await host_tools()
        async with _scratch(job.reading_id) as scratch, _told(job, VERIFIED) as tell:
            work = CagedVerification(
                sandbox=tools.sandbox,
                file=_blob(tools, job.sha256),
                spec=job.spec,
                seed=reading_seed(),
                scratch=scratch / "caged",
                seconds=settings.MOP_DATASET_DEADLINE,
            )
            report = await verify_in_cage(work, lambda done: tell(done, job.size))
            digests = await _keep_digests(tools, scratch) if report.is_clean else ""
        failpoints.hit("before dataset verification")
        await in_database(store_verification)(job, report, digests=digests)


async def _keep_digests(tools: HostTools, scratch: Path) -> str:
    """Put the digests of the rows into the artifact store, sealed; gives their artifact."""
    given, sealed = scratch / "caged" / DIGESTS, scratch / "sealed"
    if given.is_symlink() or not given.is_file():  # the cage writes there
        return ""
    await asyncio.to_thread(seal_digests, given, sealed)
    blob = await tools.artifacts.put_file(_chunks(sealed))
    return await tools.artifacts.put_manifest(
        Manifest.of([ManifestFile(path=DIGESTS, size=blob.size, sha256=blob.sha256)])
    )


async def _compare(reading_id: str) -> None:
    tools = await host_tools()
    others = await in_database(readings_to_compare)(reading_id)
    mine = await in_database(_digests_of)(reading_id)
    if not mine or not others:
        return
    files = [(other, await _digest_file(tools, digests)) for other, digests in others]
    counts = await asyncio.to_thread(count_shared, await _digest_file(tools, mine), files)
    await in_database(store_shared)(reading_id, counts)


def _digests_of(reading_id: str) -> str:
    return Reading.objects.filter(pk=reading_id).values_list("rows_artifact_digest", flat=True).first() or ""


async def _digest_file(tools: HostTools, artifact: str) -> Path:
    (file,) = (await tools.artifacts.get_manifest(artifact)).files
    return _blob(tools, file.sha256)


def _quiet(_line: str) -> None:
    """Drop lines of the snapshot: they name digests of the file, with which a guess could be tested."""


def _blob(tools: HostTools, sha256: str) -> Path:
    """A file of the local artifact store.

    Raises:
        ArtifactDamagedError: it is missing.
    """
    path = tools.artifacts.path_of(sha256)
    if path is None or not path.is_file():
        raise ArtifactDamagedError(f"A file of the artifact store is missing: blob {sha256[:12]}.")
    return path


async def _chunks(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


@asynccontextmanager
async def _scratch(reading_id: str) -> AsyncGenerator[Path, None]:
    """A folder of this reading, empty at first and gone at the end; a killed worker's is emptied by the next try."""
    folder: Path = settings.MOP_HOME / _SCRATCH / reading_id
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    (folder / "caged").mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@asynccontextmanager
async def _told(job: ReadingJob, stage: str) -> AsyncGenerator[Callable[[int, int], None], None]:
    """Takes how far a stage is, and keeps it about once a second while the block runs."""
    latest: list[tuple[int, int]] = []

    async def keep() -> None:
        last = 0.0
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            if latest and time.monotonic() - last >= _TELL_SECONDS:
                last = time.monotonic()
                await in_database(store_progress)(job, stage, *latest.pop())
                latest.clear()

    task = asyncio.create_task(keep())
    try:
        yield lambda done, total: latest.append((min(done, total), total))
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
