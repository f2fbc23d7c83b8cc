"""A run of a revision as the API answers it and the command line reads it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal

from mop.errors import ErrorDocument
from mop.loadtest.conditions import Conditions
from mop.loadtest.plan import Arrivals, Strategy
from mop.loadtest.results import Progress, StepResult
from mop.loadtest.steps import Ending
from mop.serving_options import LoadTestOption

StateName = Literal["notAvailable", "notStarted", "queued", "running", "finished", "failed", "cancelled"]


@dataclass(frozen=True)
class LoadTestOut:
    """One load test: of one modality, with its plan, conditions, and the steps that ended.

    Attributes:
        ended: why there is no further step; empty while there may be one, and where it failed or was cancelled.
        note: what it waits for, or does besides measuring.
        progress: the step that runs, about once a second.
        conditions: under which it is measured; None until its service is ready.
        steps: those of `mop load-test --json`.
    """

    id: uuid.UUID
    modality: str
    state: StateName
    strategy: Strategy
    targets: tuple[int, ...]
    duration_s: float
    warm_up_s: float
    timeout_s: float
    budget_s: float
    seed: int
    arrivals: Arrivals
    ended: Ending | Literal[""]
    error: ErrorDocument | None
    note: str
    progress: Progress | None
    conditions: Conditions | None
    steps: tuple[StepResult, ...]
    trusted: bool
    created_at: dt.datetime
    created_by: str
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


@dataclass(frozen=True)
class LoadTestRunOut:
    """A run of a revision: a load test for each modality; none where the state is notAvailable or notStarted."""

    model: str
    version: str
    state: StateName
    is_final: bool
    load_test_option: LoadTestOption
    run: int | None
    runs: tuple[int, ...]
    tests: tuple[LoadTestOut, ...]
