from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

import orjson
import pytest

from mop.errors import HostLostError
from mop.serving import row_runner
from mop.serving.config import BatchPolicy, ServiceConfig
from mop.serving.disclosure import Disclosure
from mop.serving.row_runner import Answered, Outcome, Pace, ServiceGaveUpError, Unanswered, run_rows
from serving.conftest import MakeModel, StartService

PACE = Pace(list_items=8, lists=3, deadline_s=5)


async def bodies(texts: Iterable[str]) -> AsyncIterator[bytes]:
    for text in texts:
        yield orjson.dumps({"text": text})


async def outcomes(service, texts: Iterable[str], pace: Pace = PACE) -> list[Outcome]:
    async with aclosing(run_rows(bodies(texts), service=service, pace=pace, form="model")) as found:
        return [outcome async for outcome in found]


def answered(texts: Iterable[str]) -> list[Outcome]:
    return [Answered({"echo": {"text": text}}) for text in texts]


async def test_answers_come_in_the_order_of_the_rows_however_long_each_takes(
    make_model: MakeModel, start: StartService
):
    folder = make_model("""
        def inference(self, item):
            time.sleep(0.02 if item["text"].endswith("7") else 0)
            return {"echo": item}
    """)
    texts = [str(number) for number in range(200)]
    service = await start(folder, workers=2, batch=BatchPolicy(max_size=4))
    assert await outcomes(service, texts) == answered(texts)


async def test_a_row_that_raises_has_no_answer_and_its_neighbours_have_theirs(
    make_model: MakeModel, start: StartService
):
    folder = make_model("""
        def inference(self, item):
            if item["text"] in ("13", "14", "50"):
                raise ValueError("I saw " + item["text"])
            return {"echo": item}
    """)
    texts = [str(number) for number in range(60)]
    found = await outcomes(await start(folder, disclosure=Disclosure.NAMES), texts)
    expected = answered(texts)
    for place in (13, 14, 50):
        expected[place] = Unanswered("UserScriptException")
    assert found == expected


async def test_a_row_that_kills_the_model_has_no_answer_and_every_other_row_has_one(
    make_model: MakeModel, start: StartService
):
    folder = make_model("""
        def inference(self, item):
            if item["text"] in ("5", "30"):
                os._exit(3)
            return {"echo": item}
    """)
    texts = [str(number) for number in range(48)]
    found = await outcomes(await start(folder, disclosure=Disclosure.NAMES), texts)
    expected = answered(texts)
    expected[5] = expected[30] = Unanswered("DeploymentCrashedError")
    assert found == expected


async def test_every_row_has_its_own_outcome_where_lists_go_in_series(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference(self, item):
            if item["text"] in ("301", "640"):
                os._exit(3)
            if item["text"] == "450":
                raise ValueError("I saw " + item["text"])
            return {"echo": item}
    """)
    texts = [str(number) for number in range(800)]
    service = await start(folder, disclosure=Disclosure.NAMES, batch=BatchPolicy(max_size=4))
    found = await outcomes(service, texts, replace(PACE, list_items=40))
    expected = answered(texts)
    expected[301] = expected[640] = Unanswered("DeploymentCrashedError")
    expected[450] = Unanswered("UserScriptException")
    assert found == expected


async def test_a_row_past_the_deadline_has_no_answer(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference(self, item):
            while item["text"] == "3":
                pass
            return {"echo": item}
    """)
    texts = [str(number) for number in range(10)]
    found = await outcomes(await start(folder, request_deadline_s=1), texts)
    expected = answered(texts)
    expected[3] = Unanswered("RequestDeadlineError")
    assert found == expected


async def test_a_model_that_ends_again_and_again_is_given_up_after_the_rows_before_it(
    make_model: MakeModel, start: StartService
):
    folder = make_model("""
        def inference(self, item):
            if int(item["text"]) >= 8:
                os._exit(3)
            return {"echo": item}
    """)
    service = await start(folder, max_boots=2)
    # of several lists in flight each would end a process before a row was asked alone
    pace = Pace(list_items=8, lists=1, deadline_s=5)
    found: list[Outcome] = []

    async def collect() -> None:
        texts = (str(number) for number in range(30))
        async with aclosing(run_rows(bodies(texts), service=service, pace=pace, form="model")) as each:
            async for outcome in each:
                found.append(outcome)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ServiceGaveUpError):
        await collect()
    assert found[:8] == answered(str(number) for number in range(8))
    # so does the next service, and so on: each decides at least one row more
    assert 8 < len(found) < 30
    assert set(found[8:]) == {Unanswered("DeploymentCrashedError")}


async def test_a_service_that_is_lost_is_no_fault_of_a_row(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference(self, item):
            time.sleep(0.05)
            return {"echo": item}
    """)
    service = await start(folder)
    running = asyncio.create_task(outcomes(service, [str(number) for number in range(100)]))
    await asyncio.sleep(0.3)
    os.killpg(service._front.pid, signal.SIGKILL)
    with pytest.raises(HostLostError):
        await running


async def test_rows_are_read_no_faster_than_outcomes_are_taken(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield orjson.dumps({"text": str(number)})

    async with aclosing(run_rows(counted(), service=service, pace=PACE, form="model")) as each:
        await anext(each)
    assert read <= PACE.list_items * (PACE.lists + 1) + 1


@pytest.mark.parametrize(("quick_seconds", "longest"), [(60, 32), (0, 8)])
async def test_lists_grow_for_a_quick_model_and_for_no_other(
    make_model: MakeModel, start: StartService, monkeypatch: pytest.MonkeyPatch, quick_seconds: float, longest: int
):
    monkeypatch.setattr(row_runner, "QUICK_SECONDS", quick_seconds)
    service = await start(make_model())
    read = taken = ahead = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        for number in range(1_000):
            read += 1
            yield orjson.dumps({"text": str(number)})

    pace = replace(PACE, quick_items=32)
    async with aclosing(run_rows(counted(), service=service, pace=pace, form="model")) as each:
        async for _ in each:
            ahead = max(ahead, read - taken)
            taken += 1
    assert taken == 1_000
    # beside what flies: the list whose outcomes are being taken, and the first row of the next
    assert longest * (PACE.lists - 1) < ahead <= longest * (PACE.lists + 1) + 1


async def test_after_a_row_that_raises_lists_are_short_again(
    make_model: MakeModel, start: StartService, monkeypatch: pytest.MonkeyPatch
):
    """All rows of its list are asked by themselves: those are not to be many each time."""
    monkeypatch.setattr(row_runner, "QUICK_SECONDS", 60)
    folder = make_model("""
        def inference(self, item):
            if int(item["text"]) % 8 == 7:
                raise ValueError
            return {"echo": item}
    """)
    service = await start(folder, disclosure=Disclosure.NAMES)
    lists: list[int] = []
    whole = row_runner._Runner.answers

    async def answers(runner: object, items: Sequence[bytes]) -> object:
        lists.append(len(items))
        return await whole(runner, items)

    monkeypatch.setattr(row_runner._Runner, "answers", answers)
    found = await outcomes(service, [str(number) for number in range(80)], replace(PACE, quick_items=32))
    assert sum(isinstance(one, Unanswered) for one in found) == 10
    assert set(lists) == {8}


def test_the_pace_is_sized_to_processes_and_batches():
    assert Pace.of(workers=1, batch=12, deadline_s=60) == Pace(24, 3, 60, quick_items=192)
    assert Pace.of(workers=2, batch=12, deadline_s=60) == Pace(24, 6, 60, quick_items=144)
    assert Pace.of(workers=1, batch=1, deadline_s=60).list_items == 32
    assert Pace.of(workers=1, batch=500, deadline_s=60).list_items == 64


@pytest.mark.parametrize("workers", range(1, 5))
@pytest.mark.parametrize("batch", [1, 3, 12, 40, 64, 500])
def test_rows_in_flight_fit_the_queue_of_a_service_also_while_it_is_quick(workers: int, batch: int):
    pace = Pace.of(workers=workers, batch=batch, deadline_s=60)
    assert pace.quick_items >= pace.list_items
    assert pace.list_items % batch == 0 or batch > pace.list_items
    assert pace.lists * pace.quick_items <= ServiceConfig(("model",)).queue_limit
