"""What a load test is to do: strategy, steps, lengths, limits."""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass, field
from typing import Any, Self

DEFAULT_DURATION_S = 300.0
DEFAULT_WARM_UP_S = 5.0
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_BUDGET_S = 7200.0
LARGEST_SEED = (1 << 63) - 1
LARGEST_TARGET = 100_000
LONGEST_STEP_S = 86_400
MOST_ARRIVALS = 10_000_000  # of one step: each takes 42 bytes until the step is summed up


class Strategy(enum.StrEnum):
    """PerRPS is an open loop, PerConcurrency a closed one.

    PerRPS: requests start when they are due, whatever became of others. PerConcurrency: so many clients, each of which
    sends its next request when its last one is answered.
    """

    PER_RPS = "PerRPS"
    PER_CONCURRENCY = "PerConcurrency"


class Arrivals(enum.StrEnum):
    """How PerRPS spreads requests: exactly the target in every second at random instants, or a Poisson process."""

    UNIFORM = "uniform"
    POISSON = "poisson"


@dataclass(frozen=True)
class Plan:
    """A load test.

    Attributes:
        targets: requests a second, or clients, of each step; ascending.
        duration_s: of a step, counted; the warm-up comes before it.
        timeout_s: from the intended start of a request; what is not answered then is a failure of the system.
        budget_s: a step that would end later than this after the first began is not started.
        precision: ends a step early when the confidence intervals of P50, P90, P95 and P99 are within this share of
            their values; None: never.
        cpus: the generator's process runs on these; None: wherever the system lets it.
    """

    strategy: Strategy
    targets: tuple[int, ...]
    duration_s: float = DEFAULT_DURATION_S
    warm_up_s: float = DEFAULT_WARM_UP_S
    timeout_s: float = DEFAULT_TIMEOUT_S
    budget_s: float = DEFAULT_BUDGET_S
    seed: int = 0
    arrivals: Arrivals = Arrivals.UNIFORM
    precision: float | None = None
    cpus: tuple[int, ...] | None = field(default=None)

    def __post_init__(self) -> None:
        targets = self.targets
        if not targets or list(targets) != sorted(set(targets)) or not 1 <= targets[0] <= targets[-1] <= LARGEST_TARGET:
            raise ValueError(f"targets are ascending numbers from 1 to {LARGEST_TARGET:,}")
        for name, least in (("duration_s", 0.1), ("warm_up_s", 0.0), ("timeout_s", 0.001), ("budget_s", 0.1)):
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= LONGEST_STEP_S):
                raise ValueError(f"{name} is from {least:g} to {LONGEST_STEP_S:,} seconds")
        if self.step_s > self.budget_s:
            raise ValueError(f"one step takes {self.step_s:g} s, longer than the budget of {self.budget_s:g} s")
        if self.strategy is Strategy.PER_RPS and targets[-1] * self.step_s > MOST_ARRIVALS:
            raise ValueError(f"a step would have more than {MOST_ARRIVALS:,} requests")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"a seed is from 0 to {LARGEST_SEED}")
        if self.precision is not None and not 0 < self.precision < 1:
            raise ValueError("a precision is a share between 0 and 1")

    @property
    def step_s(self) -> float:
        """Seconds that a step takes at most, besides the answers that are waited for."""
        return self.warm_up_s + self.duration_s

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The plan that `to_dict` described."""
        cpus = data.get("cpus")
        own = {
            "strategy": Strategy(data["strategy"]),
            "targets": tuple(data["targets"]),
            "arrivals": Arrivals(data["arrivals"]),
            "cpus": None if cpus is None else tuple(cpus),
        }
        return cls(**{**data, **own})
