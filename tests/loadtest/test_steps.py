from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.loadtest.plan import Plan, Strategy
from mop.loadtest.steps import Ending, Measured, Outcome, default_targets, ending, fits, run_steps, surely_failing

RPS, CLIENTS = Strategy.PER_RPS, Strategy.PER_CONCURRENCY
rates = st.floats(0.1, 1e6, allow_nan=False)


def fine(rps: float) -> Outcome:
    return Outcome(total=1000, failed=0, rps=rps)


def test_the_default_targets():
    assert default_targets(45) == (1, 10, 20, 30, 40)
    assert default_targets(50) == (1, 10, 20, 30, 40, 50)
    assert default_targets(9) == (1,)
    assert default_targets(0) == ()


@pytest.mark.parametrize("strategy", [RPS, CLIENTS])
@given(total=st.integers(1, 10**7), failed=st.integers(0, 10**7))
def test_a_step_ends_the_test_exactly_when_more_than_one_per_cent_failed(strategy: Strategy, total: int, failed: int):
    failed = min(failed, total)
    found = ending(strategy, [Outcome(total, failed, 10.0)])
    assert (found is Ending.FAILING) == (100 * failed > total)


@given(st.lists(rates, max_size=8))
def test_per_rps_never_ends_for_its_throughput(series: list[float]):
    assert ending(RPS, [fine(rps) for rps in series]) is None


@given(st.lists(rates, max_size=8))
def test_per_concurrency_ends_on_a_plateau_as_defined(series: list[float]):
    found = ending(CLIENTS, [fine(rps) for rps in series])
    plateau = len(series) >= 3 and max(series[-1], series[-2]) < 1.02 * max(series[:-2])
    assert found is (Ending.PLATEAU if plateau else None)


@given(st.lists(rates, min_size=3, max_size=8), st.floats(1.021, 5))
def test_one_better_step_of_the_last_two_goes_on(series: list[float], factor: float):
    better = [*series, factor * max(series), 0.1]
    assert ending(CLIENTS, [fine(rps) for rps in better]) is None


def test_failing_comes_before_a_plateau():
    assert ending(CLIENTS, [fine(100), fine(50), Outcome(100, 2, 10)]) is Ending.FAILING


def test_a_step_without_a_request_has_not_failed():
    assert ending(RPS, [Outcome(0, 0, 0.0)]) is None


@given(st.floats(0, 1e5), st.floats(0.1, 1e4), st.floats(0.1, 1e5))
def test_a_step_begins_only_if_it_ends_within_the_budget(elapsed: float, step: float, budget: float):
    assert fits(elapsed, step, budget) == (elapsed + step <= budget)


@given(st.integers(1, 10**6), st.data())
def test_what_surely_fails_fails_whatever_follows(scheduled: int, data: st.DataObject):
    failed = data.draw(st.integers(0, scheduled))
    more = data.draw(st.integers(0, scheduled - failed))
    if surely_failing(failed, scheduled):
        assert Outcome(scheduled, failed + more, 0.0).failing


@dataclass
class Kept:
    """A runner that survives a crash: it keeps outcomes, and each step takes what it is told to."""

    rates: dict[int, float]
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    asked: list[tuple[int, int]] = field(default_factory=list)
    cancelled_at: int | None = None

    async def measured(self) -> Measured:
        return Measured(tuple(self.outcomes), self.seconds)

    async def measure(self, place: int, target: int) -> bool:
        self.asked.append((place, target))
        if target == self.cancelled_at:
            return False
        self.outcomes.append(fine(self.rates[target]))
        self.seconds += 10
        return True


PLAN = Plan(strategy=CLIENTS, targets=(1, 10, 20, 30), duration_s=10, warm_up_s=0, budget_s=40)
RISING = {1: 10.0, 10: 20.0, 20: 40.0, 30: 80.0}


async def test_every_step_is_measured_once_in_its_order():
    runner = Kept(RISING)
    assert await run_steps(PLAN, runner) is Ending.FINISHED
    assert runner.asked == [(0, 1), (1, 10), (2, 20), (3, 30)]


async def test_steps_that_are_kept_are_not_measured_again():
    runner = Kept(RISING, [fine(10.0), fine(20.0)], seconds=20)
    assert await run_steps(PLAN, runner) is Ending.FINISHED
    assert runner.asked == [(2, 20), (3, 30)]


async def test_a_rule_that_the_kept_steps_fulfil_ends_the_test_without_another_step():
    runner = Kept(RISING, [fine(10.0), Outcome(100, 2, 1.0)])
    assert await run_steps(PLAN, runner) is Ending.FAILING
    assert runner.asked == []


async def test_what_kept_steps_took_counts_for_the_budget():
    runner = Kept(RISING, [fine(10.0)], seconds=25)
    assert await run_steps(PLAN, runner) is Ending.BUDGET
    assert runner.asked == [(1, 10)]


async def test_a_cancelled_step_ends_the_test():
    runner = Kept(RISING, cancelled_at=10)
    assert await run_steps(PLAN, runner) is Ending.CANCELLED
    assert runner.asked == [(0, 1), (1, 10)]
