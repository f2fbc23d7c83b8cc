"""Shows a load test that runs here: live numbers on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import dataclasses
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mop_client.cli.load_test_views import progress_line, step_lines
from mop_client.cli.output import console, printable, say, wants_colour

if TYPE_CHECKING:
    from rich.status import Status

    from mop.loadtest.endpoint import Endpoint
    from mop.loadtest.plan import Plan
    from mop.loadtest.results import Progress, StepResult


class LoadTestProgress:
    """A listener of `generate` that writes to stderr."""

    def __init__(self, plan: Plan, endpoint: Endpoint) -> None:
        self._strategy = str(plan.strategy)
        self._duration = plan.duration_s
        self._status: Status | None = None
        said = f"{plan.strategy} on {endpoint.address}: {plan.duration_s:g} s a step, seed {plan.seed}"
        self._opening = printable(said)

    def __enter__(self) -> Self:
        """Show what is tested, and a line that changes on a terminal."""
        say(self._opening)
        if wants_colour(sys.stderr):
            self._status = console().status("starting")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the line."""
        if self._status is not None:
            self._status.stop()

    def progress(self, progress: Progress) -> None:
        """Show how the step stands."""
        if self._status is not None:
            self._status.update(progress_line(dataclasses.asdict(progress), self._strategy, self._duration))

    def step(self, result: StepResult) -> None:
        """Show how a step ended; the line that changes stays below."""
        for line in step_lines(result.to_dict(), self._strategy):
            if self._status is not None:
                self._status.console.print(line)
            else:
                say(line)
