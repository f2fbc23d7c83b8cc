"""Work that is over is ended at once, and work that is wanted is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest
from django.db import OperationalError

from mop.engine.watch import Run, Watch
from mop.errors import StaleAttemptError

# Work that nobody ends waits for ever. pytest's own deadline does not end it: what its signal raises is lost when the
# loop runs a task of the watch at that moment.
DEADLINE_S = 10.0


class Wanted:
    """What is still worked on; counts the looks, and fails as often as it is told."""

    def __init__(self, *runs: Run) -> None:
        self.runs = set(runs)
        self.asked: list[set[Run]] = []
        self.failures = 0

    def __call__(self, runs: Collection[Run]) -> Collection[Run]:
        self.asked.append(set(runs))
        if self.failures:
            self.failures -= 1
            raise OperationalError("no answer")
        return self.runs


class Work:
    """Work that goes on until it may end; notes how it ended."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.cleaned_up = False

    async def run(self) -> str:
        self.began.set()
        try:
            await self.may_end.wait()
        finally:
            await asyncio.sleep(0)  # a clean-up that gives way
            self.cleaned_up = True
        return "done"


FIRST, SECOND, OTHER = Run("a", 1), Run("a", 2), Run("b")


def watch_of(wanted: Wanted) -> Watch:
    return Watch("parcel", wanted, every_seconds=0.0)


async def test_what_is_wanted_runs_to_its_end():
    work = Work()
    work.may_end.set()
    assert await watch_of(Wanted(FIRST)).run(FIRST, work.run()) == "done"


@pytest.mark.parametrize(
    ("run", "wanted", "message"),
    [
        (FIRST, (), "parcel a, attempt 1 is over"),
        (FIRST, (SECOND,), "parcel a, attempt 1 is over"),
        (OTHER, (FIRST,), "parcel b is over"),
    ],
)
async def test_what_was_cancelled_deleted_or_begun_anew_is_ended_and_waited_for(
    run: Run, wanted: tuple[Run, ...], message: str
):
    work = Work()
    with pytest.raises(StaleAttemptError, match=message):
        async with asyncio.timeout(DEADLINE_S):
            await watch_of(Wanted(*wanted)).run(run, work.run())
    assert work.cleaned_up


async def test_one_look_serves_all_and_ends_only_what_is_over():
    wanted = Wanted(FIRST, OTHER)
    watch = watch_of(wanted)
    works = {run: Work() for run in (FIRST, OTHER)}
    running = {run: asyncio.create_task(watch.run(run, work.run())) for run, work in works.items()}
    for work in works.values():
        await work.began.wait()
    wanted.runs = {OTHER}
    with pytest.raises(StaleAttemptError):
        async with asyncio.timeout(DEADLINE_S):
            await running[FIRST]
    works[OTHER].may_end.set()
    assert await running[OTHER] == "done"
    assert {FIRST, OTHER} in wanted.asked


async def test_a_database_that_does_not_answer_is_asked_again(caplog: pytest.LogCaptureFixture):
    wanted = Wanted()
    wanted.failures = 2
    with pytest.raises(StaleAttemptError):
        async with asyncio.timeout(DEADLINE_S):
            await watch_of(wanted).run(FIRST, Work().run())
    assert caplog.text.count("could not look for work that is over: no answer") == 2


async def test_who_is_cancelled_by_the_engine_cleans_up_first():
    work = Work()
    task = asyncio.create_task(watch_of(Wanted(FIRST)).run(FIRST, work.run()))
    await work.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.cleaned_up


async def test_what_fails_by_itself_fails_with_its_own_error():
    async def work() -> None:
        raise KeyError("boom")

    with pytest.raises(KeyError, match="boom"):
        await watch_of(Wanted(FIRST)).run(FIRST, work())
