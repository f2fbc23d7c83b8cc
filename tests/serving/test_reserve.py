"""A full batch stands in reserve behind the one that a model process works on, and can be taken back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mop.errors import DeploymentCrashedError, RequestDeadlineError
from mop.serving.config import BatchPolicy
from mop.serving.local_service import LocalService
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import metric, model_pids, reached

POLICY = BatchPolicy(max_size=4)
GATED = (
    PASS_GATE
    + """
def inference_batch(self, items):
    self.pass_gate(",".join(map(str, items)))
    if "exit" in items:
        os._exit(7)
    if "loop" in items:
        with open(self.model_root + "/entered", "wb", buffering=0) as entered:
            entered.write(b"past the gate\\n")
        while True: pass
    return items
"""
)


def scores(service: LocalService, *items: Any) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(service.score(item, mop=False)) for item in items]


async def in_flight(service: LocalService, count: int, *, waiting: int = 0) -> None:
    async def so_many() -> bool:
        return await metric(service, "in_flight_items") == count and await metric(service, "queue_items") == waiting

    await reached(so_many)


async def test_a_full_batch_is_handed_over_while_the_model_works_and_no_second_one(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, batch=POLICY)
    first = scores(service, "a")
    assert await gate.entered() == "a"
    rest = scores(service, *range(3))
    await in_flight(service, 1, waiting=3)
    rest += scores(service, *range(3, 10))
    await in_flight(service, 5, waiting=6)
    gate.release(4)
    assert await asyncio.gather(*first, *rest) == ["a", *range(10)]
    assert [len((await gate.entered()).split(",")) for _ in range(3)] == [4, 4, 2]


async def test_a_caller_in_the_reserve_that_gave_up_is_dropped_before_the_model_sees_it(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, batch=POLICY)
    first = scores(service, "a")
    await gate.entered()
    given_up = scores(service, "given up")
    await in_flight(service, 1, waiting=1)
    rest = scores(service, 1, 2, 3)
    await in_flight(service, 5)
    given_up[0].cancel()
    await in_flight(service, 5, waiting=3)  # the process has yet to tell that it left the batch out
    gate.release(2)
    assert await asyncio.gather(*first, *rest) == ["a", 1, 2, 3]
    assert sorted((await gate.entered()).split(",")) == ["1", "2", "3"]
    assert gate.told == []
    assert await metric(service, "abandoned_items_total") == 1
    await in_flight(service, 0)


async def test_a_free_process_takes_the_reserve_that_stands_behind_anothers_work(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, workers=2, batch=POLICY)
    looping = scores(service, "loop")
    await gate.entered()
    gate.release()
    assert await gate.entered() == "past the gate"  # or the other one would go through in its place
    other = scores(service, "other")
    assert await gate.entered() == "other"
    rest = scores(service, *range(4))
    await in_flight(service, 6)
    gate.release(2)
    assert await asyncio.gather(*other, *rest) == ["other", 0, 1, 2, 3]
    assert not looping[0].done()
    looping[0].cancel()


async def test_a_death_fails_what_was_begun_and_the_reserve_is_run_again(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, batch=POLICY)
    dying = scores(service, "exit")
    await gate.entered()
    rest = scores(service, *range(4))
    await in_flight(service, 5)
    gate.release(2)
    with pytest.raises(DeploymentCrashedError):
        await dying[0]
    assert await asyncio.gather(*rest) == [0, 1, 2, 3]
    assert await metric(service, "retried_items_total") == 4


async def test_a_batch_past_the_deadline_fails_and_the_reserve_is_run_again(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, batch=POLICY, request_deadline_s=6)
    (pid,) = model_pids(service)
    looping = scores(service, "loop")
    await gate.entered()
    rest = scores(service, *range(4))
    await in_flight(service, 5)
    gate.release(2)
    with pytest.raises(RequestDeadlineError):
        await looping[0]
    assert await asyncio.gather(*rest) == [0, 1, 2, 3]
    assert model_pids(service) != [pid]
