"""More load than the model can take: what is accepted is answered soon, the rest is told at once when to come back."""

from __future__ import annotations

import asyncio

import pytest

from mop.serving.drain_time import DrainTime
from mop.serving.http_client import request
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import metric, reached
from serving.test_connections import Caller, connect, post

GATED = PASS_GATE + "\ndef inference_batch(self, items):\n    self.pass_gate(len(items))\n    return items\n"
QUEUE, BATCH, CALLERS = 24, 12, 100


async def test_over_the_queue_all_are_refused_at_once_and_what_is_accepted_waits_for_the_queue_before_it_alone(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, queue_limit=QUEUE)
    first = asyncio.create_task(service.score(0, mop=False))
    await gate.entered()
    accepted = [asyncio.create_task(service.score(n, mop=False)) for n in range(1, BATCH + 1)]

    async def in_reserve() -> bool:
        return await metric(service, "in_flight_items") == 1 + BATCH

    await reached(in_reserve)
    accepted += [asyncio.create_task(service.score(n, mop=False)) for n in range(1 + BATCH, 1 + BATCH + QUEUE)]

    async def full() -> bool:
        return await metric(service, "queue_items") == QUEUE

    await reached(full)

    async def refused() -> int:
        async with connect(service) as caller:
            seconds = set()
            for _ in range(3):
                caller.send(post(b"1"))
                status, headers, body = await caller.answer()
                assert (status, headers.get("connection", "")) == (429, "")
                assert b"QueueFullError" in body
                seconds.add(int(headers["retry-after"]))
            return min(seconds)

    waits = await asyncio.gather(*(refused() for _ in range(CALLERS)))
    assert min(waits) >= 1
    assert (await request(service.address, "GET", "/health")).status == 200
    assert await metric(service, "queue_items") == QUEUE
    assert await metric(service, 'requests_total{code="429"}') == 3 * CALLERS
    gate.release(100)
    assert await asyncio.gather(first, *accepted) == list(range(1 + QUEUE + BATCH))
    # the batch at work, the reserve behind it and the queue: no accepted item waited for more
    assert [int(size) for size in gate.told] == [BATCH] * ((QUEUE + BATCH) // BATCH)
    assert await metric(service, "queue_items") == 0


async def test_a_queue_that_drains_takes_callers_again(make_model: MakeModel, make_gate: MakeGate, start: StartService):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, queue_limit=1)
    async with connect(service) as one, connect(service) as two, connect(service) as three:
        one.send(post(b"1"))
        await gate.entered()
        two.send(post(b"2"))

        async def full() -> bool:
            return await metric(service, "queue_items") == 1

        await reached(full)
        three.send(post(b"3"))
        assert (await three.answer())[0] == 429
        gate.release(3)
        assert [await body_of(caller) for caller in (one, two)] == [b"1", b"2"]
        three.send(post(b"3"))
        assert await body_of(three) == b"3"


async def body_of(caller: Caller) -> bytes:
    return (await caller.answer())[2]


@pytest.mark.parametrize(
    ("waiting", "parallel", "running", "seconds"),
    [
        (0, 1, 0.0, 1),  # never at once: others come too
        (100, 1, 0.0, 50),  # half a second an item
        (100, 4, 0.0, 13),  # four processes
        (100, 0, 0.0, 50),  # none is up: as if one were
        (100, 1, 24.0, 120),  # the model hangs: no faster than two seconds an item, and not after it was dropped
        (12, 1, 24.0, 24),
    ],
)
def test_the_drain_time_follows_what_the_model_was_seen_to_take(
    waiting: int, parallel: int, running: float, seconds: int
):
    drain = DrainTime()
    for _ in range(5):
        drain.answered(12, 6.0)
    assert drain.retry_after(waiting, parallel_batches=parallel, running=running, batch=12, longest=120) == seconds


def test_without_an_answer_yet_a_caller_comes_back_after_a_second():
    assert DrainTime().retry_after(1000, parallel_batches=1, running=0.0, batch=12, longest=120) == 1


def test_the_drain_time_learns_when_the_model_becomes_slower():
    drain = DrainTime()
    drain.answered(1, 0.01)
    for _ in range(50):
        drain.answered(1, 1.0)
    assert drain.retry_after(10, parallel_batches=1, running=0.0, batch=1, longest=120) == 10
