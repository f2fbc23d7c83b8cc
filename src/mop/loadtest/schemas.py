"""What the API takes about load tests."""

from __future__ import annotations

from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.loadtest.plan import LARGEST_SEED, LARGEST_TARGET, LONGEST_STEP_S, Arrivals, Strategy
from mop.loadtest.planning import TARGETS_MAX, RunRequest


class LoadTestIn(InputSchema):
    """What a run is to do; what is left out is the installation's default."""

    option: Strategy | None = Field(default=None, description="left out: the revision's, else PerConcurrency")
    steps: list[int] | None = Field(
        default=None, min_length=1, max_length=TARGETS_MAX, description=f"ascending, 1 to {LARGEST_TARGET}"
    )
    duration: float | None = Field(default=None, ge=0.1, le=LONGEST_STEP_S, description="seconds of a step")
    warm_up: float | None = Field(default=None, ge=0, le=LONGEST_STEP_S, description="seconds before them")
    budget: float | None = Field(default=None, ge=0.1, le=LONGEST_STEP_S, description="seconds in all")
    seed: int | None = Field(default=None, ge=0, le=LARGEST_SEED)
    arrivals: Arrivals | None = None

    def run_request(self) -> RunRequest:
        """As the service takes it."""
        return RunRequest(
            option=self.option,
            targets=None if self.steps is None else tuple(self.steps),
            duration_s=self.duration,
            warm_up_s=self.warm_up,
            budget_s=self.budget,
            seed=self.seed,
            arrivals=self.arrivals,
        )
