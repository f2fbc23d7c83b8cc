"""What the API takes and gives about load tests."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.loadtest.plan import LARGEST_SEED, LARGEST_TARGET, LONGEST_STEP_S
from mop.loadtest.requests import TARGETS_MAX, RunRequest
from mop.loadtest.states import LoadTestState
from mop.registry.schemas import FaultOut
from mop.serving_options import LoadTestOption

OptionName = Literal["PerRPS", "PerConcurrency"]
ArrivalsName = Literal["uniform", "poisson"]


class LoadTestIn(InputSchema):
    """What a run is to do; what is left out is the installation's default."""

    option: OptionName | None = Field(default=None, description="left out: the revision's, else PerConcurrency")
    steps: list[int] | None = Field(
        default=None, min_length=1, max_length=TARGETS_MAX, description=f"ascending, 1 to {LARGEST_TARGET}"
    )
    duration: float | None = Field(default=None, ge=0.1, le=LONGEST_STEP_S, description="seconds of a step")
    warm_up: float | None = Field(default=None, ge=0, le=LONGEST_STEP_S, description="seconds before them")
    budget: float | None = Field(default=None, ge=0.1, le=LONGEST_STEP_S, description="seconds in all")
    seed: int | None = Field(default=None, ge=0, le=LARGEST_SEED)
    arrivals: ArrivalsName | None = None

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


class LoadTestOut(Schema):
    """One load test: of one modality, with its plan, conditions, and the steps that ended.

    `steps` are those of `mop load-test --json`; `progress` is the step that runs, about once a second.
    """

    id: uuid.UUID
    modality: str
    state: LoadTestState
    strategy: OptionName
    targets: list[int]
    duration_s: float
    warm_up_s: float
    timeout_s: float
    budget_s: float
    seed: int
    arrivals: ArrivalsName
    ended: str
    error: FaultOut | None
    note: str
    progress: dict[str, Any] | None
    conditions: dict[str, Any]
    steps: list[dict[str, Any]]
    trusted: bool
    created_at: dt.datetime
    created_by: str
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


class LoadTestRunOut(Schema):
    """A run of a revision: a load test for each modality; none where the state is notAvailable or notStarted."""

    model: str
    version: str
    state: LoadTestState
    is_final: bool
    load_test_option: LoadTestOption
    run: int | None
    runs: list[int]
    tests: list[LoadTestOut]
