"""Requests that ask several versions: what comes while a group is asked goes together when all of it is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from tests.gateway.conftest import FixedModels, WordModel

from mop.gateway import whole_groups
from mop.gateway.analysis import Analyzer
from mop.gateway.analyze_requests import read_text_request
from mop.gateway.categories import CATEGORIES, Kind
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Findings, Routing, Slot
from mop.gateway.shared_state import SharedState
from mop.gateway.whole_groups import WholeGroups

TOGETHER = 4
LONG_SECONDS = 600.0


@pytest.fixture(autouse=True)
def held_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what is held back is not let go by the time."""
    monkeypatch.setattr(whole_groups, "HELD_SECONDS_MAX", LONG_SECONDS)
    monkeypatch.setattr(whole_groups, "HELD_GROUPS", 1e9)


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
        turn = asyncio.Event()
        leave = self.groups.enter(self.models, self.routing, turn.set)
        try:
            await turn.wait()
            self.asked.append(number)
            await self._answers[number].wait()
        finally:
            leave()

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


async def test_a_version_that_hangs_holds_others_back_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_groups, "HELD_GROUPS", 2.0)
    line = Line()
    await line.come(1)
    await asyncio.sleep(0.01)
    await line.answer(1)  # what groups take is known now
    await line.come(2)  # is never answered
    await line.come(3)
    async with asyncio.timeout(LONG_SECONDS / 20):
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


class WaitingModel(WordModel):
    """Answers when the test says so."""

    may_answer: asyncio.Event
    begun: int = 0

    async def _find(self, kind: Kind, item: Mapping[str, str]) -> Findings:
        self.begun += 1
        await self.may_answer.wait()
        return await super()._find(kind, item)


def release(number: int) -> Routing:
    """Two versions, which answer two categories each."""
    models = [WaitingModel(release=number, label=f"words v{number}") for _ in range(2)]
    for model in models:
        model.may_answer = asyncio.Event()
    return Routing({(Kind.TEXT, category): Slot(models[place % 2]) for place, category in enumerate(CATEGORIES)})


def asked(routing: Routing) -> list[int]:
    return [model.begun for model in routing.models()]  # type: ignore[attr-defined]  # they are ours


def let_answer(routing: Routing) -> None:
    for model in routing.models():
        model.may_answer.set()  # type: ignore[attr-defined]  # as above


async def test_a_request_that_was_held_back_over_a_switch_is_answered_by_the_new_release_alone() -> None:
    before, after = release(1), release(2)
    models = FixedModels(before)
    analyzer = Analyzer(models, SharedState(1), GatewayMetrics("service"), service="service")

    async def releases() -> set[int]:
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        analyzer.text(read_text_request(b'{"text": "hate"}'), answered.set_result)
        return {one["release"] for one in (await answered).findings.values()}

    first = asyncio.create_task(releases())
    for _ in range(10):
        await asyncio.sleep(0)
    assert asked(before) == [1, 1]
    second = asyncio.create_task(releases())
    for _ in range(10):
        await asyncio.sleep(0)
    assert asked(before) == [1, 1]
    models.routing = after
    let_answer(before)
    let_answer(after)
    assert await first == {1}
    assert await second == {2}
    assert asked(before) == asked(after) == [1, 1]
