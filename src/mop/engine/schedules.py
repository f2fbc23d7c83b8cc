"""Periodic upkeep: named jobs, each run by one worker at a time, whatever number of workers there is.

    register_schedule("environments.gc", every_seconds=3600, function=collect_garbage)

A row per job holds when it is due, by the database's clock. A worker claims a due job with one conditional update and
renews the claim while the job runs; the claim of a worker that died ends by itself. Whatever was missed while no worker
ran is done once.

While no row of the installation changes, a job runs once a minute at most: see `engine/activity.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections, connections, transaction
from django.db.models import F, Q

from mop.engine.clock import DatabaseClock, from_now
from mop.engine.database import in_database
from mop.engine.models import Schedule
from mop.engine.wakes import CHANGES, SCHEDULES, hearing_wakes, wake

BUSY_SECONDS = 60.0  # after a change jobs run at their own intervals, so that each finds what became due by it
IDLE_SECONDS = 60.0  # then those of shorter intervals run this often
LONGEST_LOOK_SECONDS = 60.0  # another release's worker may know jobs of other intervals
SHORTEST_LOOK_SECONDS = 0.05  # another worker may hold what is due
FAULT_SECONDS = 1.0
CLAIM_SECONDS = 30.0
RENEW_SECONDS = 10.0
RETRY_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A function that a worker calls every so often."""

    name: str
    every_seconds: float
    function: Callable[[], object]


_jobs: dict[str, Job] = {}


def register_schedule(name: str, every_seconds: float, function: Callable[[], object]) -> None:
    """Let this worker call `function` every `every_seconds`; areas declare theirs in their `Area`.

    The function runs in a thread and may use the database and block. It may run again after a crash of its worker, so
    it is idempotent. When it raises, the failure is logged, kept in the row, and tried again after a minute or
    `every_seconds`, whichever is shorter. The first run is due `every_seconds` after the job became known.

    Raises:
        ValueError: a bug: two jobs of one name, or an interval that is not positive.
    """
    if every_seconds <= 0:
        raise ValueError(f"the interval of {name!r} is {every_seconds!r} seconds")
    if name in _jobs and _jobs[name].function is not function:
        raise ValueError(f"two jobs are named {name!r}")
    _jobs[name] = Job(name, every_seconds, function)


async def run_schedules() -> None:
    """Run what becomes due until cancelled."""
    wakes = _Wakes()
    loop = asyncio.get_running_loop()

    def hear(name: str) -> None:
        if name == SCHEDULES:
            loop.call_soon_threadsafe(wakes.woken.set)
        elif name == CHANGES:
            loop.call_soon_threadsafe(wakes.change)

    try:
        with hearing_wakes(hear):
            await _run_always(wakes)
    finally:
        _kept_thread.end()


class _Wakes:
    """What the runner of the schedules heard, on its event loop."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self._changed = False
        self._busy_until = time.monotonic() + BUSY_SECONDS

    def change(self) -> None:
        """Rows changed."""
        self._changed = True
        self._busy_until = time.monotonic() + BUSY_SECONDS
        self.woken.set()

    def take_change(self) -> bool:
        """Whether rows changed since the last call."""
        changed, self._changed = self._changed, False
        return changed

    def is_quiet(self) -> bool:
        """Whether no row changed for a while."""
        return time.monotonic() >= self._busy_until


async def _run_always(wakes: _Wakes) -> None:
    woken = wakes.woken
    running: dict[asyncio.Task[None], str] = {}
    is_known = False

    def end(task: asyncio.Task[None]) -> None:
        del running[task]
        woken.set()  # it may be due again before all others

    while True:
        woken.clear()
        try:
            if not is_known:
                await sync_to_async(make_known)()
                is_known = True
            if wakes.take_change():
                await sync_to_async(bring_forward)()
            claimed, pause = await sync_to_async(look)(busy=frozenset(running.values()))
            for job, claim in claimed:
                task = asyncio.create_task(_run(job, claim, wakes.is_quiet))
                running[task] = job.name
                task.add_done_callback(end)
        except DatabaseError:
            logger.exception("the schedules could not be read; they are read again in %.0f s", FAULT_SECONDS)
            await sync_to_async(close_old_connections)()
            pause = FAULT_SECONDS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), pause)


@transaction.atomic
def make_known() -> None:
    """Make the rows of registered jobs; a job whose interval became shorter is due sooner."""
    for job in _jobs.values():
        Schedule.objects.bulk_create(
            [Schedule(name=job.name, every_seconds=job.every_seconds, next_run_at=from_now(job.every_seconds))],
            ignore_conflicts=True,  # another worker was first
        )
        changed = Schedule.objects.filter(name=job.name).exclude(every_seconds=job.every_seconds)
        if changed.update(every_seconds=job.every_seconds):
            soon = Schedule.objects.filter(name=job.name, next_run_at__gt=from_now(job.every_seconds))
            soon.update(next_run_at=from_now(job.every_seconds))


def bring_forward() -> None:
    """Let the jobs that were put off while nothing changed be due within their own intervals."""
    frequent = [job for job in _jobs.values() if job.every_seconds < IDLE_SECONDS]
    for seconds in {job.every_seconds for job in frequent}:
        names = [job.name for job in frequent if job.every_seconds == seconds]
        late = Schedule.objects.filter(name__in=names, failures=0, next_run_at__gt=from_now(seconds))
        late.update(next_run_at=from_now(seconds))


def make_due(name: str) -> None:
    """Let a job run as soon as a worker looks. One that runs just now is next due after its own interval."""
    Schedule.objects.filter(name=name).update(next_run_at=DatabaseClock())
    transaction.on_commit(functools.partial(wake, SCHEDULES))


def look(*, busy: frozenset[str] = frozenset()) -> tuple[list[tuple[Job, str]], float]:
    """Claim every registered job that is due and that nobody runs.

    Args:
        busy: names that this process runs already.

    Returns:
        The claimed jobs, each with the token of its claim; and for how many seconds no other one is due.
    """
    rows = Schedule.objects.filter(name__in=set(_jobs) - busy).annotate(now=DatabaseClock())
    claimed: list[tuple[Job, str]] = []
    pause = LONGEST_LOOK_SECONDS
    for name, due, held, now in rows.values_list("name", "next_run_at", "claimed_until", "now"):
        left = (max(due, held or due) - now).total_seconds()
        if left > 0 or (claim := _claim(name)) is None:
            pause = min(pause, left)
        else:
            claimed.append((_jobs[name], claim))
    return claimed, max(SHORTEST_LOOK_SECONDS, pause)


def _claim(name: str) -> str | None:
    """The token of the claim; None when another was first."""
    due = Schedule.objects.filter(name=name, next_run_at__lte=DatabaseClock()).filter(
        Q(claimed_until=None) | Q(claimed_until__lt=DatabaseClock())
    )
    claim = uuid.uuid4().hex
    changes = {"claimed_by": claim, "claimed_until": from_now(CLAIM_SECONDS), "started_at": DatabaseClock()}
    return claim if due.update(**changes) else None


def renew(job: Job, claim: str) -> bool:
    """Keep a claim; False when it is another's by now."""
    rows = Schedule.objects.filter(name=job.name, claimed_by=claim)
    return bool(rows.update(claimed_until=from_now(CLAIM_SECONDS)))


def finish(job: Job, claim: str, *, error: str = "", quiet: bool = False) -> bool:
    """Write how a run ended and when the next is due; False when the claim is another's by now.

    Args:
        job: the job.
        claim: the token of the run.
        error: why it failed.
        quiet: no row of the installation changed for a minute.
    """
    pause = min(job.every_seconds, RETRY_SECONDS) if error else job.every_seconds
    if quiet:
        pause = max(pause, IDLE_SECONDS)
    rows = Schedule.objects.filter(name=job.name, claimed_by=claim)
    return bool(
        rows.update(
            claimed_by="",
            claimed_until=None,
            ended_at=DatabaseClock(),
            next_run_at=from_now(pause),
            failures=F("failures") + 1 if error else 0,
            last_error=error,
        )
    )


async def _run(job: Job, claim: str, is_quiet: Callable[[], bool]) -> None:
    renewing = asyncio.create_task(_renew_always(job, claim))
    error = ""
    try:
        await _kept_thread.run(job)
    except Exception as raised:
        logger.exception("the job %s failed", job.name)
        error = f"{type(raised).__name__}: {raised}"
    renewing.cancel()
    try:
        await in_database(finish)(job, claim, error=error, quiet=is_quiet())
    except DatabaseError:
        logger.exception("the end of the job %s could not be written; it is due again when its claim ends", job.name)


class _KeptThread:
    """A thread that keeps its connections for the next job: to connect costs more than most jobs do.

    While it is at work, further jobs run in threads that close theirs.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="mop-schedules")
        self._is_busy = False

    async def run(self, job: Job) -> None:
        """Run a job; called on one event loop alone."""
        if self._is_busy:
            await asyncio.to_thread(_call, job)
            return
        self._is_busy = True
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, _call_connected, job)
        finally:
            self._is_busy = False

    def end(self) -> None:
        """Close its connections when its job has ended."""
        self._executor.submit(connections.close_all)


_kept_thread = _KeptThread()


def _call(job: Job) -> None:
    try:
        job.function()
    finally:
        connections.close_all()


def _call_connected(job: Job) -> None:
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.is_usable():
            connection.close()
    try:
        job.function()
    except BaseException:
        connections.close_all()
        raise


async def _renew_always(job: Job, claim: str) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            if not await sync_to_async(renew)(job, claim):
                logger.warning("the job %s is run by another worker by now", job.name)
                return
        except DatabaseError:
            logger.exception("the claim of the job %s could not be renewed", job.name)
            await sync_to_async(close_old_connections)()
