from __future__ import annotations

import asyncio

import pytest
import uvloop

from mop.loadtest.clock import Agenda, MonotonicClock

MS = 1_000_000


@pytest.mark.parametrize("timer", ["timer descriptor", "loop"])
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_nothing_is_called_early_or_out_of_order_or_twice(factory, timer: str):
    async def run() -> list[tuple[int, int]]:
        clock, called, over = MonotonicClock(fine=timer != "loop"), [], asyncio.Event()
        start = clock.now()
        for due in (5, 1, 3, 0, 3, 2):

            def call(due: int = due) -> None:
                called.append((due, clock.now() - start))
                if due == 5:
                    over.set()

            clock.call_at(start + due * MS, call)
        await over.wait()
        clock.close()
        return called

    with asyncio.Runner(loop_factory=factory) as runner:
        called = runner.run(run())
    assert [due for due, _ in called] == [0, 1, 2, 3, 3, 5]
    assert all(at >= due * MS for due, at in called)


async def test_a_call_that_is_set_from_within_another_comes_too():
    clock, over = MonotonicClock(), asyncio.Event()
    clock.call_at(clock.now(), lambda: clock.call_at(clock.now() + MS, over.set))
    await over.wait()
    clock.close()


async def test_a_closed_clock_calls_nothing():
    clock, called = MonotonicClock(), []
    clock.call_at(clock.now(), lambda: called.append(1))
    clock.close()
    clock.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert called == []


def test_an_agenda_keeps_the_order_of_entries_of_the_same_time():
    agenda, called = Agenda(), []
    for number in range(5):
        agenda.add(7, lambda number=number: called.append(number))
    agenda.add(9, lambda: called.append(9))
    for callback in agenda.pop_due(8):
        callback()
    assert called == [0, 1, 2, 3, 4]
    assert agenda.next == 9
