"""How many model processes work side by side, in a world whose clock is a number."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

import pytest

from mop.serving.concurrency_limiter import ConcurrencyLimiter

PROCESSES, MAX_SIZE = 4, 12


class World:
    """Clients that ask again when they are answered, before model processes that follow the dispatcher's rule.

    Args:
        takes: seconds of a batch, given its size, how many others are at work, and until when a shared stream is taken.
    """

    def __init__(
        self, takes: Callable[[int, int, float], float], clients: int, processes: int, *, limiter: bool
    ) -> None:
        self.limiter = ConcurrencyLimiter(processes)
        self.answered = 0
        self.now = 0.0
        self._takes = takes
        self._follows = limiter
        self._free = processes
        self._taken = 0.0
        self._working: dict[int, tuple[float, list[float]]] = {}
        self._waiting: list[float] = []
        self._order = itertools.count()
        self._events = [(0.0001 * client, next(self._order), -1) for client in range(clients)]

    def run(self, seconds: float) -> float:
        """Items a second over the last half."""
        half = 0
        while self._events[0][0] < seconds:
            self.now, _, batch = heapq.heappop(self._events)
            if batch >= 0:
                self._end(batch)
            else:
                self._waiting.append(self.now)
            half = half or (self.answered if self.now > seconds / 2 else 0)
            self._begin()
        return (self.answered - half) / (seconds / 2)

    def _begin(self) -> None:
        while self._waiting and self._free:
            full = len(self._waiting) >= MAX_SIZE or not self._follows
            if not full and len(self._working) >= self.limiter.limit:
                return
            at_work = sum(len(items) for _, items in self._working.values())
            size = MAX_SIZE if full else self.limiter.share(len(self._waiting) + at_work)
            items, self._waiting = self._waiting[:size], self._waiting[size:]
            taken = max(0.0, self._taken - self.now)
            seconds = self._takes(len(items), len(self._working), taken)
            self._taken = self.now + seconds
            number = next(self._order)
            self._working[number] = (self.now, items)
            self._free -= 1
            heapq.heappush(self._events, (self.now + seconds, number, number))

    def _end(self, batch: int) -> None:
        begun, items = self._working.pop(batch)
        self._free += 1
        self.answered += len(items)
        waited = sum(self.now - arrived for arrived in items)
        present = len(items) + len(self._waiting) + sum(len(others) for _, others in self._working.values())
        self.limiter.answered(len(items), duration=self.now - begun, waited=waited, present=present)
        self.come(len(items))

    def come(self, clients: int) -> None:
        """Requests that arrive in a moment; who was answered asks again."""
        for _ in range(clients):
            heapq.heappush(self._events, (self.now + 0.0003, next(self._order), -1))


def one_stream(size: int, _others: int, taken: float) -> float:
    return taken + 0.005 + 0.0002 * size


def own_cores(size: int, _others: int, _taken: float) -> float:
    return 0.005 * size


def two_cores(size: int, others: int, _taken: float) -> float:
    return (0.004 + 0.002 * size) * max(1.0, (others + 1) / 2)


@pytest.mark.parametrize("clients", [4, 8, 16])
def test_processes_that_share_a_stream_end_with_one_at_work_and_large_batches(clients: int):
    world = World(one_stream, clients, PROCESSES, limiter=True)
    reached = world.run(30)
    assert world.limiter.limit == 1
    assert reached > 0.95 * World(one_stream, clients, 1, limiter=False).run(30)
    assert reached > 1.5 * World(one_stream, clients, PROCESSES, limiter=False).run(30)


@pytest.mark.parametrize("clients", [4, 8, 16])
def test_processes_on_cores_of_their_own_all_work_and_tries_cost_little(clients: int):
    world = World(own_cores, clients, PROCESSES, limiter=True)
    assert world.run(30) > 0.9 * PROCESSES / 0.005
    assert world.limiter.limit == PROCESSES


def test_of_more_processes_than_cores_as_many_work_as_there_are_cores():
    world = World(two_cores, 8, PROCESSES, limiter=True)
    reached = world.run(60)
    assert world.limiter.limit == 2
    assert reached > 1.2 * World(two_cores, 8, PROCESSES, limiter=False).run(60)


def test_when_the_stream_becomes_free_more_processes_work_again():
    shared = True

    def takes(size: int, others: int, taken: float) -> float:
        return one_stream(size, others, taken) if shared else own_cores(size, others, taken)

    world = World(takes, 8, PROCESSES, limiter=True)
    world.run(30)
    assert world.limiter.limit == 1
    shared = False
    world.run(500)
    assert world.limiter.limit == PROCESSES


def test_a_lone_client_teaches_nothing_and_a_crowd_is_soon_served_side_by_side():
    world = World(own_cores, 1, PROCESSES, limiter=True)
    world.run(60)
    assert world.limiter.limit == PROCESSES
    world.come(7)
    before = world.answered
    world.run(65)
    assert world.answered - before > 0.8 * 5 * PROCESSES / 0.005


def test_what_was_learned_from_few_clients_is_judged_again_when_there_are_many():
    few = True

    def takes(size: int, others: int, taken: float) -> float:
        return one_stream(size, others, taken) if few else own_cores(size, others, taken)

    world = World(takes, 4, PROCESSES, limiter=True)
    world.run(200)
    assert world.limiter.limit == 1
    few = False
    world.come(12)
    world.run(210)
    assert world.limiter.limit == PROCESSES


def test_what_takes_three_times_as_long_as_usual_is_not_waited_for():
    limiter = ConcurrencyLimiter(PROCESSES)
    assert limiter.late == 0.0
    for _ in range(100):
        limiter.answered(1, duration=0.02, waited=0.02, present=1)
    assert limiter.late == pytest.approx(0.06)
