"""Runs one step of a build: streams its lines to the log, and leaves no process behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_LINE = 4000
KEPT_LINES = 400
LOGGED_LINES = 20_000

_READ = 64 * 1024
_GRACE_SECONDS = 3.0
_POLL_SECONDS = 0.2
_CREDENTIALS = re.compile(r"(\w://)[^/@\s]+@")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Finished:
    """How a step ended: exit status (negative for a signal) and the last lines of its output."""

    status: int
    lines: tuple[str, ...]


async def run_step(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Callable[[str], None]) -> Finished:
    """Run argv in a session of its own; on cancellation it is ended and reaped.

    Args:
        argv: the program and its arguments.
        env: its whole environment.
        cwd: its working folder.
        log: gets every line, without credentials in addresses.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    stream = asyncio.create_task(_stream(process, kept, log))
    try:
        # A daemon that a setup.py left behind may hold the pipe open for ever: the step ends with its program.
        while process.returncode is None and not stream.done():
            await asyncio.wait({stream}, timeout=_POLL_SECONDS)
    finally:
        await asyncio.shield(_end(process))
        await asyncio.wait({stream}, timeout=_GRACE_SECONDS)
        stream.cancel()
    return Finished(process.returncode or 0, tuple(kept))


def without_credentials(line: str) -> str:
    """The line with the user part of every address masked, and without colours."""
    return _CREDENTIALS.sub(r"\1***@", _COLOURS.sub("", line))


async def _stream(process: asyncio.subprocess.Process, kept: deque[str], log: Callable[[str], None]) -> None:
    stdout = process.stdout
    assert stdout is not None  # noqa: S101 - asked for as a pipe
    logged, rest = 0, b""
    while chunk := await stdout.read(_READ):
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if len(rest) > MAX_LINE:
            lines, rest = [*lines, rest], b""
        for raw in lines:
            logged = _take(raw, kept, log, logged)
    if rest:
        _take(rest, kept, log, logged)


def _take(raw: bytes, kept: deque[str], log: Callable[[str], None], logged: int) -> int:
    line = without_credentials(raw[: MAX_LINE * 2].decode("utf-8", "replace")).rstrip()[:MAX_LINE]
    if not line:
        return logged
    kept.append(line)
    if logged < LOGGED_LINES:
        log(line)
    elif logged == LOGGED_LINES:
        log(f"more than {LOGGED_LINES} lines; the rest of this step is not logged")
    return logged + 1


async def _end(process: asyncio.subprocess.Process) -> None:
    """End whatever still runs in the step's session: politely, so that the sandbox tidies up, then by force."""
    if process.returncode is None and process.stdout is not None and not process.stdout.at_eof():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    if process.returncode is None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()
