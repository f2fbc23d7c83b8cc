"""Requests that ask several versions: what comes while a group is asked goes together when all of it is answered."""

from __future__ import annotations

import asyncio
import contextlib

from tests.gateway.conftest import WordModel

from mop.gateway import whole_groups
from mop.gateway.live_models import Routing
from mop.gateway.whole_groups import WholeGroups

TOGETHER = 4


class Line:
    """Requests to some versions, each answered when the test says so."""

    def __init__(self, versions: int = 2, together: int = TOGETHER) -> None:
        self.models = frozenset(WordModel(together=together, release=number) for number in range(versions))
        self.groups, self.routing = WholeGroups(), Routing()
        self.asked: list[int] = []
        self._answers: dict[int, asyncio.Event] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def come(self, *numbers: int) -> list[int]:
        """Requests come; gives those that are asked by now, of all."""
        for number in numbers:
            self._answers[number] = asyncio.Event()
            self._tasks[number] = asyncio.create_task(self._request(number))
        return await self._settled()

    async def answer(self, *numbers: int) -> list[int]:
        """The versions answer them; gives those that were asked until then."""
        for number in numbers:
            self._answers[number].set()
        return await self._settled()

    async def leave(self, *numbers: int) -> list[int]:
        """Their callers give up."""
        for number in numbers:
            self._tasks[number].cancel()
        return await self._settled()

    async def gone(self, number: int) -> None:
        """Return when a request is over."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._tasks[number]

    async def _request(self, number: int) -> None:
        async with self.groups.turn(self.models, self.routing):
            self.asked.append(number)
            await self._answers[number].wait()

    async def _settled(self) -> list[int]:
        for _ in range(10):  # turns of the loop; nothing here waits for anything else
            await asyncio.sleep(0)
        return self.asked


async def test_what_comes_meanwhile_goes_together_when_the_group_before_is_answered() -> None:
    line = Line()
    assert await line.come(1, 2) == [1, 2]
    assert await line.come(3) == [1, 2]
    assert await line.come(4, 5) == [1, 2]
    assert await line.answer(1) == [1, 2]
    assert await line.answer(2) == [1, 2, 3, 4, 5]


async def test_a_full_batch_waits_for_nothing() -> None:
    line = Line()
    await line.come(1)
    assert await line.come(2, 3, 4) == [1]
    assert await line.come(5) == [1, 2, 3, 4, 5]


async def test_one_version_and_versions_that_make_no_batches_hold_nothing_back() -> None:
    for line in (Line(versions=1), Line(together=1)):
        assert await line.come(1) == [1]
        assert await line.come(2) == [1, 2]


async def test_a_version_that_hangs_holds_others_back_for_a_bounded_time() -> None:
    line = Line()
    await line.come(1)
    await asyncio.sleep(0.02)
    await line.answer(1)  # what groups take is known now
    await line.come(2)  # is never answered
    assert await line.come(3) == [1, 2]
    async with asyncio.timeout(10 * whole_groups.HELD_SECONDS_MAX):
        while line.asked != [1, 2, 3]:  # noqa: ASYNC110 - the time is what is tested
            await asyncio.sleep(0.001)


async def test_callers_who_give_up_are_not_waited_for() -> None:
    line = Line()
    await line.come(1, 2)
    await line.come(3, 4)
    assert await line.leave(3) == [1, 2]
    assert await line.leave(1, 2) == [1, 2, 4]
    assert await line.answer(4) == [1, 2, 4]
    assert await line.come(5) == [1, 2, 4, 5]


async def test_a_caller_who_gives_up_as_its_turn_comes_is_counted_once() -> None:
    line = Line()
    await line.come(1)
    await line.come(2)
    line._answers[1].set()
    await line.gone(1)  # the turn of 2 is set now or in the next turn of the loop
    await asyncio.sleep(0)
    await line.leave(2)
    assert (await line.come(3))[-1] == 3
    assert (await line.come(4))[-1] == 3
    assert (await line.answer(3))[-1] == 4
