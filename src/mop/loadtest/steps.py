"""Which steps a load test has, when it ends, and the one loop over them."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mop.loadtest.plan import Plan, Strategy

MOST_FAILED = 0.01
LEAST_GAIN = 1.02
LOOK_BACK = 2

StepEnded = Literal["complete", "precise", "failing", "cancelled"]
Phase = Literal["warm-up", "counting", "waiting"]


class Ending(enum.StrEnum):
    """Why a load test ended.

    `finished`: every step ran; `failing`: more than 1 % of a step's requests failed; `plateau`: more clients brought no
    more requests a second; `budget`: another step would not fit; `cancelled`: somebody ended it.
    """

    FINISHED = "finished"
    FAILING = "failing"
    PLATEAU = "plateau"
    BUDGET = "budget"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Outcome:
    """What the rules look at.

    Attributes:
        total: requests of the step.
        failed: those that were not answered with success, for any reason.
        rps: successful answers a second.
    """

    total: int
    failed: int
    rps: float

    @property
    def failing(self) -> bool:
        """Whether more than 1 % failed; in whole numbers, so that exactly 1 % does not."""
        return self.failed * round(1 / MOST_FAILED) > self.total


@dataclass(frozen=True)
class Measured:
    """What was measured so far: the outcomes of the steps in their order, and the seconds of the budget they took."""

    outcomes: Sequence[Outcome]
    seconds: float


class StepRunner(Protocol):
    """Measures steps, and keeps what it measured: in memory, or in the database, where it outlives a crash."""

    async def measured(self) -> Measured:
        """What is kept."""

    async def measure(self, place: int, target: int) -> bool:
        """Measure and keep the step at `place`, counted from 0; False when it was cancelled."""


async def run_steps(plan: Plan, runner: StepRunner) -> Ending:
    """Measure step after step until a rule ends the test; steps that the runner has kept already are not repeated."""
    for place, target in enumerate(plan.targets):
        so_far = await runner.measured()
        if reason := ending(plan.strategy, so_far.outcomes):
            return reason
        if place < len(so_far.outcomes):
            continue
        if not fits(so_far.seconds, plan.step_s, plan.budget_s):
            return Ending.BUDGET
        if not await runner.measure(place, target):
            return Ending.CANCELLED
    return ending(plan.strategy, (await runner.measured()).outcomes) or Ending.FINISHED


def default_targets(maximum: int) -> tuple[int, ...]:
    """1, 10, 20, 30 ... up to `maximum`."""
    return tuple(_series(maximum))


def _series(maximum: int) -> Iterator[int]:
    if maximum >= 1:
        yield 1
    yield from range(10, maximum + 1, 10)


def ending(strategy: Strategy, outcomes: Sequence[Outcome]) -> Ending | None:
    """Why no further step is to run after these, or None.

    Both strategies end with a step of which more than 1 % failed. PerConcurrency also ends when the best of the last
    two steps is under 1.02 times the best of all before them.
    """
    if outcomes and outcomes[-1].failing:
        return Ending.FAILING
    if strategy is Strategy.PER_CONCURRENCY and len(outcomes) > LOOK_BACK:
        best_before = max(outcome.rps for outcome in outcomes[:-LOOK_BACK])
        best_now = max(outcome.rps for outcome in outcomes[-LOOK_BACK:])
        if best_now < LEAST_GAIN * best_before:
            return Ending.PLATEAU
    return None


def fits(elapsed_s: float, step_s: float, budget_s: float) -> bool:
    """Whether a step of this length ends within the budget."""
    return elapsed_s + step_s <= budget_s


def surely_failing(failed: int, scheduled: int) -> bool:
    """Whether more than 1 % of a step's scheduled requests have failed already: the rest cannot change it."""
    return Outcome(scheduled, failed, 0.0).failing
