"""Whole load tests on a virtual clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from loadtest.virtual import Answer, VirtualClock, VirtualService, constant
from mop.loadtest.exchange import NS
from mop.loadtest.measure import LoadGenerator
from mop.loadtest.plan import Arrivals, Plan, Strategy
from mop.loadtest.results import Progress, StepResult
from mop.loadtest.steps import Ending

MS = NS // 1000
RPS = Plan(strategy=Strategy.PER_RPS, targets=(1, 10, 20), duration_s=10, warm_up_s=2, seed=5)
CLIENTS = Plan(strategy=Strategy.PER_CONCURRENCY, targets=(1, 10, 20, 30), duration_s=10, warm_up_s=0)


class Heard:
    def __init__(self) -> None:
        self.steps: list[StepResult] = []
        self.told: list[Progress] = []

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)

    def step(self, result: StepResult) -> None:
        self.steps.append(result)


class Bench:
    def __init__(self, plan: Plan, answer: Answer) -> None:
        self.clock = VirtualClock()
        self.heard = Heard()
        self.services: list[VirtualService] = []
        self.answer = answer
        self.test = LoadGenerator(
            plan, clock=self.clock, open_transport=self.open, listener=self.heard, cpu_time=lambda: 0.0
        )

    def open(self) -> VirtualService:
        self.services.append(VirtualService(self.clock, self.answer))
        return self.services[-1]

    async def run(self, until: Any = None) -> Ending:
        running = asyncio.create_task(self.test.run())
        while not running.done():
            await asyncio.sleep(0)
            self.clock.run(until or (lambda: False))
            if until is not None and until():
                self.test.cancel()
        return running.result()


def at_most(limit: int) -> Answer:
    """Every request takes 10 ms, and there are so many at once."""
    free = [0] * limit

    def answer(now: int) -> tuple[int, int]:
        place = min(range(limit), key=free.__getitem__)
        free[place] = max(now, free[place]) + 10 * MS
        return free[place], 200

    return answer


async def test_every_step_runs_with_a_transport_of_its_own_that_is_closed():
    bench = Bench(RPS, constant(5 * MS))
    assert await bench.run() is Ending.FINISHED
    assert [(step.target, step.requests.total, step.rps) for step in bench.heard.steps] == [
        (1, 10, 1.0),
        (10, 100, 10.0),
        (20, 200, 20.0),
    ]
    assert [service.closed for service in bench.services] == [1, 1, 1]
    assert all(step.latency_ms.average == step.latency_ms.p99 == 5 for step in bench.heard.steps)


async def test_the_same_seed_makes_the_same_test_and_another_one_another():
    ran = []
    for plan in (RPS, RPS, replace(RPS, seed=6), replace(RPS, arrivals=Arrivals.POISSON)):
        bench = Bench(plan, constant(5 * MS))
        await bench.run()
        ran.append([service.sent for service in bench.services])
    assert ran[0] == ran[1]
    assert ran[0] != ran[2]
    assert ran[0] != ran[3]


async def test_a_failing_step_ends_the_test_and_is_cut_short_when_nothing_can_fix_it():
    bench = Bench(RPS, lambda now: (now + MS, 503 if now > 20 * NS else 200))
    assert await bench.run() is Ending.FAILING
    step = bench.heard.steps[-1]
    assert (step.target, step.ended) == (10, "failing")
    assert step.duration_s < 10
    assert step.failures == {"status 503": step.requests.system_failed}


async def test_client_mistakes_and_system_failures_are_told_apart():
    codes = [200] * 98 + [404, 500]
    count = iter(range(10**6))
    bench = Bench(CLIENTS, lambda now: (now + 10 * MS, codes[next(count) % 100]))
    assert await bench.run() is Ending.FAILING
    requests = bench.heard.steps[0].requests
    assert (requests.total, requests.successful, requests.user_failed, requests.system_failed) == (1000, 980, 10, 10)


async def test_more_clients_than_the_service_can_use_are_a_plateau():
    bench = Bench(CLIENTS, at_most(10))
    assert await bench.run() is Ending.PLATEAU
    assert [round(step.rps) for step in bench.heard.steps] == [100, 1000, 1000, 1000]


async def test_no_step_begins_that_the_budget_does_not_hold():
    bench = Bench(replace(RPS, budget_s=25), constant(5 * MS))
    assert await bench.run() is Ending.BUDGET
    assert [step.target for step in bench.heard.steps] == [1, 10]


async def test_a_cancelled_test_tells_its_last_step_and_begins_no_other():
    bench = Bench(RPS, constant(5 * MS))
    assert await bench.run(until=lambda: bench.clock.time > 17 * NS) is Ending.CANCELLED
    assert [(step.target, step.ended) for step in bench.heard.steps] == [(1, "complete"), (10, "cancelled")]


async def test_progress_is_told_every_second():
    bench = Bench(replace(RPS, targets=(10,)), constant(5 * MS))
    await bench.run()
    told = bench.heard.told
    assert 10 <= len(told) <= 12
    assert {progress.phase for progress in told} == {"warm-up", "counting"}
    assert [progress.requests for progress in told] == sorted(progress.requests for progress in told)
    assert told[-1].p50_ms == 5
    assert told[-1].rps == pytest.approx(10, rel=0.3)


async def test_a_step_ends_early_when_its_percentiles_are_known_well_enough():
    plan = replace(RPS, targets=(50,), duration_s=300, precision=0.05)
    bench = Bench(plan, constant(5 * MS))
    await bench.run()
    (step,) = bench.heard.steps
    assert step.ended == "precise"
    assert step.duration_s == pytest.approx(30, abs=0.1)
    assert step.confidence_ms.p99 == (5, 5)


async def test_a_step_whose_latencies_vary_runs_to_its_end():
    count = iter(range(10**6))
    bench = Bench(replace(RPS, targets=(10,), precision=0.01), lambda now: (now + (1 + next(count) % 90) * MS, 200))
    await bench.run()
    assert bench.heard.steps[0].ended == "complete"
