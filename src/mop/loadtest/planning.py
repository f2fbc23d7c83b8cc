"""What a run may be asked to do, and the plan that it gives with this installation's defaults."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings

from mop.errors import ValidationFailedError
from mop.loadtest.plan import DEFAULT_TIMEOUT_S, Arrivals, Plan, Strategy
from mop.loadtest.steps import default_targets
from mop.registry.models import Revision
from mop.serving_options import LoadTestOption

LARGEST_RANDOM_SEED = 1 << 32
TARGETS_MAX = 200


@dataclass(frozen=True)
class RunRequest:
    """What a run is to do; None: this installation's default.

    Attributes:
        option: PerRPS or PerConcurrency; None: the revision's own, PerConcurrency where that is off.
        targets: requests a second, or clients, of each step.
        duration_s: seconds of a step that are counted.
        budget_s: seconds in all.
    """

    option: str | None = None
    targets: tuple[int, ...] | None = None
    duration_s: float | None = None
    warm_up_s: float | None = None
    budget_s: float | None = None
    seed: int | None = None
    arrivals: str | None = None


def option_of(revision: Revision, request: RunRequest) -> LoadTestOption:
    option = LoadTestOption(request.option or revision.load_test_option)
    return LoadTestOption.PER_CONCURRENCY if option == LoadTestOption.OFF else option


def plan_of(option: LoadTestOption, request: RunRequest) -> Plan:
    """The plan of a run.

    Raises:
        ValidationFailedError: it cannot be run as asked.
    """
    if request.targets is not None and len(request.targets) > TARGETS_MAX:
        raise _refused(f"a run has {TARGETS_MAX} steps at most")
    try:
        return Plan(
            strategy=Strategy(option.value),
            targets=request.targets or default_targets(settings.MOP_LOAD_TEST_TARGET_MAX),
            duration_s=_or(request.duration_s, settings.MOP_LOAD_TEST_STEP_SECONDS),
            warm_up_s=_or(request.warm_up_s, settings.MOP_LOAD_TEST_WARM_UP_SECONDS),
            timeout_s=DEFAULT_TIMEOUT_S,
            budget_s=_or(request.budget_s, settings.MOP_LOAD_TEST_BUDGET_SECONDS),
            seed=secrets.randbelow(LARGEST_RANDOM_SEED) if request.seed is None else request.seed,
            arrivals=Arrivals(request.arrivals or Arrivals.UNIFORM),
        )
    except ValueError as error:
        raise _refused(str(error)) from error


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _refused(message: str) -> ValidationFailedError:
    return ValidationFailedError(f"steps: {message}", fields={"steps": [message]})
