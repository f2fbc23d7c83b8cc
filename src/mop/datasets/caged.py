"""The verification in the cage: the parser sees Python, MOP's packages and one file, and has no network.

Nothing that it writes is believed: standard error is thrown away, because a traceback may quote a cell, and the report
is read back by `Report.from_dict`, which takes nothing that a report of the spec cannot hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mop
from mop.datasets.reading.report import Report
from mop.datasets.reading.spec import DatasetSpec
from mop.errors import DatasetFileError, HostLostError, SandboxUnavailableError
from mop.sandbox import Job, Limits, Mount, Sandbox, python_mounts
from mop.sandbox.exit_codes import EXIT_MEMORY, EXIT_SETUP, EXIT_TIME

MEMORY_BYTES = 512 * 1024**2
"""The parser stays under 300 MB (`Limits.image_memory_bytes`)."""
DIGESTS = "digests"
_TMPFS_BYTES = 64 * 1024**2
_PROCESSES = 64
_LINE_BYTES = 8 * 1024**2
_TOLD_BYTES_MAX = 64 * 1024**2
_END_SECONDS = 5.0

Progress = Callable[[int], None]


@dataclass(frozen=True)
class CagedVerification:
    """What is verified, and where the cage may write.

    Attributes:
        file: dataset.csv, as a file of the artifact store.
        scratch: an empty folder for the digests of rows; the cage writes nowhere else.
        seconds: that it may take.
    """

    sandbox: Sandbox
    file: Path
    spec: DatasetSpec
    seed: int
    scratch: Path
    seconds: float


async def verify_in_cage(work: CagedVerification, progress: Progress) -> Report:
    """Verify a file; `scratch/digests` holds the digests of its rows afterwards.

    Args:
        work: what is verified.
        progress: takes the bytes read so far.

    Raises:
        DatasetFileError: the file needs more memory or time than a verification may take, or breaks the parser.
        SandboxUnavailableError: the cage cannot be set up.
        HostLostError: the parser was killed from outside.
    """
    work.sandbox.make_writable(work.scratch)
    process = await asyncio.create_subprocess_exec(
        *work.sandbox.command(
            reader_job("mop.datasets.reading.job", work.file, writable=work.scratch, seconds=work.seconds)
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE_BYTES,
        start_new_session=True,
    )
    try:
        told = await _follow(process, _request(work), progress)
        status = await process.wait() if told is None else 0
    finally:
        await end_reader(process)
    if told is None:
        raise _cause(status)
    try:
        return Report.from_dict(told, work.spec)
    except ValueError as error:
        raise _broken() from error


def _request(work: CagedVerification) -> bytes:
    request = {
        "file": str(work.file),
        "spec": work.spec.to_dict(),
        "seed": work.seed,
        "digests": str(work.scratch / DIGESTS),
    }
    return json.dumps(request).encode()


def reader_job(module: str, file: Path, *, writable: Path | None = None, seconds: float | None = None) -> Job:
    """A module of the reader in the cage, with one file; the paths are the host's, so that every level can show them.

    Args:
        module: what runs.
        file: of the artifact store.
        writable: the only folder that it may write to.
        seconds: that it may take.
    """
    package = Path(mop.__file__).resolve().parents[1]
    seen = {Path(sys.prefix), package}
    mounts = {mount.target: mount for mount in python_mounts(Path(sys.executable))} | {
        str(path): Mount(path, str(path)) for path in seen
    }
    scratch = [] if writable is None else [Mount(writable, str(writable), writable=True)]
    return Job(
        argv=(sys.executable, "-I", "-m", module),
        mounts=(*mounts.values(), Mount(file, str(file)), *scratch),
        limits=Limits(
            cpus=1, memory_bytes=MEMORY_BYTES, processes=_PROCESSES, tmpfs_bytes=_TMPFS_BYTES, seconds=seconds
        ),
        label="dataset",
    )


async def _follow(process: asyncio.subprocess.Process, request: bytes, progress: Progress) -> Any:
    """Hand over the request and read lines until the report; None where there is none."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process was started with pipes")
    with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its status tells
        process.stdin.write(request)
        await process.stdin.drain()
    process.stdin.close()
    left = _TOLD_BYTES_MAX
    while left > 0:
        try:
            line = await process.stdout.readline()
        except ValueError:  # a line beyond all measure
            break
        if not line:
            return None
        left -= len(line)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(message, dict):
            continue
        if "report" in message:
            return message["report"]
        told = message.get("progress")
        if isinstance(told, dict) and type(told.get("size")) is int and told["size"] >= 0:
            progress(told["size"])
    raise _broken()


def _cause(status: int) -> Exception:
    if status == EXIT_SETUP:
        return SandboxUnavailableError("The cage for the parser of datasets could not be set up.")
    if status == EXIT_MEMORY:
        return DatasetFileError(
            "The verification needs more memory than it may use.",
            hint="Make the images smaller, or the rows shorter.",
        )
    if status == EXIT_TIME:
        return DatasetFileError(
            "The verification took longer than it may.",
            hint="Split the file; the operator can change MOP_DATASET_DEADLINE.",
        )
    if status in {128 + signal.SIGKILL, -signal.SIGKILL, 128 + signal.SIGTERM, -signal.SIGTERM}:
        return HostLostError("The parser of datasets was killed.")
    return _broken()


def _broken() -> DatasetFileError:
    return DatasetFileError(
        "The file cannot be parsed: something in it breaks the reader.",
        hint="Look for damaged images; `mop dataset check` reads the file on your own machine.",
    )


async def end_reader(process: asyncio.subprocess.Process) -> None:
    """End what still runs: first so that the cage takes down what it set up, then for good."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
