from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from mop.errors import StaleAttemptError
from mop.onboarding.attempt_watch import AttemptWatch

SECONDS = 10.0


class Rows:
    """The attempts that are still worked on."""

    def __init__(self, *attempts: tuple[str, int]) -> None:
        self.wanted = set(attempts)

    def __call__(self, owner_ids: Iterable[str]) -> set[tuple[str, int]]:
        return {attempt for attempt in self.wanted if attempt[0] in set(owner_ids)}


async def test_work_whose_attempt_is_over_is_ended_and_its_cleaning_up_is_waited_for():
    rows = Rows(("mine", 1), ("other", 1))
    watch = AttemptWatch(rows)
    cleaned: list[str] = []

    async def work(owner: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(owner)
        return owner

    mine, other = (asyncio.create_task(watch.run(owner, 1, work(owner))) for owner in ("mine", "other"))
    rows.wanted.discard(("mine", 1))
    await asyncio.wait({mine}, timeout=SECONDS)
    assert mine.done()
    with pytest.raises(StaleAttemptError, match="attempt 1 of mine is over"):
        mine.result()
    assert cleaned == ["mine"]
    assert not other.done()
    rows.wanted = {("other", 2)}  # begun anew: what works on the first attempt is over
    await asyncio.wait({other}, timeout=SECONDS)
    with pytest.raises(StaleAttemptError):
        other.result()
    assert cleaned == ["mine", "other"]


async def test_work_whose_attempt_is_wanted_comes_to_its_end():
    async def work() -> str:
        return "done"

    assert await AttemptWatch(Rows(("mine", 1))).run("mine", 1, work()) == "done"


async def test_what_cancels_the_step_cancels_its_work():
    cleaned: list[bool] = []
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    step = asyncio.create_task(AttemptWatch(Rows(("mine", 1))).run("mine", 1, work()))
    await asyncio.wait_for(begun.wait(), SECONDS)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert cleaned == [True]
