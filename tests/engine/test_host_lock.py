"""Who may work on a host: many at once, or one alone; among processes as among tasks."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from mop.engine.host_lock import WAITS_FOR_ALL, WAITS_FOR_ONE, HostLock

HOLD = """
import asyncio, sys
from pathlib import Path
from mop.engine.host_lock import HostLock

async def hold():
    host = HostLock(Path(sys.argv[1]))
    async with getattr(host, sys.argv[2])(print):
        print("holds", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.fixture
def host(tmp_path: Path) -> HostLock:
    return HostLock(tmp_path / "host")


class Worker:
    """A task that holds the host until it is let go; what it did is kept in order."""

    def __init__(self, host: HostLock, kind: str) -> None:
        self.told: list[str] = []
        self.waits = asyncio.Event()
        self.holds = asyncio.Event()
        self.let_go = asyncio.Event()
        self.task = asyncio.create_task(self._work(getattr(host, kind)))

    def _tell(self, text: str) -> None:
        self.told.append(text)
        self.waits.set()

    async def _work(self, enter) -> None:
        async with enter(self._tell):
            self.holds.set()
            await self.let_go.wait()


async def test_many_share_a_host(host: HostLock):
    workers = [Worker(host, "shared") for _ in range(3)]
    for worker in workers:
        await worker.holds.wait()
        assert worker.told == []
    for worker in workers:
        worker.let_go.set()
        await worker.task


async def test_one_alone_waits_for_those_inside_and_lets_nobody_else_in(host: HostLock):
    inside = Worker(host, "shared")
    await inside.holds.wait()
    alone = Worker(host, "alone")
    await alone.waits.wait()
    late = Worker(host, "shared")
    await late.waits.wait()
    assert not alone.holds.is_set()
    assert not late.holds.is_set()
    inside.let_go.set()
    await alone.holds.wait()
    assert not late.holds.is_set()
    alone.let_go.set()
    await late.holds.wait()
    late.let_go.set()
    await asyncio.gather(alone.task, late.task)
    assert (alone.told, late.told) == ([WAITS_FOR_ALL], [WAITS_FOR_ONE])


async def test_those_who_wait_come_in_before_the_next_one_who_wants_to_be_alone(host: HostLock):
    first = Worker(host, "alone")
    await first.holds.wait()
    waiting = Worker(host, "shared")
    await waiting.waits.wait()
    first.let_go.set()
    await first.task
    following = Worker(host, "alone")
    await waiting.holds.wait()
    await following.waits.wait()
    assert not following.holds.is_set()
    waiting.let_go.set()
    await following.holds.wait()
    following.let_go.set()
    await following.task


async def test_one_that_is_cancelled_while_it_waits_lets_the_others_in(host: HostLock):
    inside = Worker(host, "shared")
    await inside.holds.wait()
    alone = Worker(host, "alone")
    await alone.waits.wait()
    alone.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alone.task
    late = Worker(host, "shared")
    await late.holds.wait()
    for worker in (inside, late):
        worker.let_go.set()
        await worker.task


@pytest.mark.parametrize(("held", "wanted"), [("alone", "shared"), ("shared", "alone")])
async def test_another_process_counts_and_one_that_was_killed_does_not(tmp_path: Path, held: str, wanted: str):
    folder = tmp_path / "host"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(folder), held), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"holds\n"
        worker = Worker(HostLock(folder), wanted)
        await worker.waits.wait()
        assert not worker.holds.is_set()
    finally:
        process.kill()
    await worker.holds.wait()
    await process.wait()
    worker.let_go.set()
    await worker.task
