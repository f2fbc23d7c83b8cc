"""Shows a load test: live numbers on a terminal, a line for each step elsewhere, a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mop_client.cli.output import console, print_columns, printable, say, wants_colour

if TYPE_CHECKING:
    from rich.status import Status

    from mop.loadtest.endpoint import Endpoint
    from mop.loadtest.plan import Plan
    from mop.loadtest.results import Progress, StepResult
    from mop.loadtest.steps import Ending

_HEAD = ("target", "rps", "average", "P50", "P90", "P95", "P99", "max", "total", "failed", "lag P99", "trusted")


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
            self._status.update(progress_line(progress, self._strategy, self._duration))

    def step(self, result: StepResult) -> None:
        """Show how a step ended; the line that changes stays below."""
        for line in step_lines(result, self._strategy):
            if self._status is not None:
                self._status.console.print(line)
            else:
                say(line)


def load(target: int, strategy: str) -> str:
    """`10 requests/s` or `10 clients`."""
    things = "request" if strategy == "PerRPS" else "client"
    return f"{target} {things}{'' if target == 1 else 's'}{'/s' if strategy == 'PerRPS' else ''}"


def progress_line(progress: Progress, strategy: str, duration: float) -> str:
    """`step 2/5: 10 clients, counting 12 of 300 s, 512.0 answers/s, P50 19.1 ms, P99 30.2 ms, 10 on their way`."""
    parts = [f"step {progress.step}/{progress.steps}: {load(progress.target, strategy)}"]
    parts.append(f"{progress.phase} {progress.elapsed_s:.0f} of {duration:g} s")
    parts.append(f"{progress.rps:.1f} answers/s")
    if progress.p50_ms is not None and progress.p99_ms is not None:
        parts.append(f"P50 {progress.p50_ms:.1f} ms, P99 {progress.p99_ms:.1f} ms")
    parts.append(f"{progress.in_flight} on their way")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return ", ".join(parts)


def step_lines(result: StepResult, strategy: str) -> list[str]:
    """What a step found, then its failures, retries, doubts and warnings."""
    requests, latency = result.requests, result.latency_ms
    line = f"{load(result.target, strategy)}: {result.rps:.1f} answers/s"
    line += f", P50 {_ms(latency.p50)} ms, P99 {_ms(latency.p99)} ms"
    failed = requests.total - requests.successful
    line += f", {failed} of {requests.total} failed"
    if result.ended != "complete":
        line += f" ({result.ended} after {result.duration_s:.1f} s)"
    kinds = ", ".join(f"{count} {kind}" for kind, count in result.failures.items())
    found = [f"failed: {kinds}"] if kinds else []
    if result.retries:
        found.append(f"sent once more on a new connection: {result.retries}")
    found += [f"not trusted: {text}" for text in result.untrusted_because]
    found += [f"warning: {text}" for text in result.warnings]
    return [printable(text) for text in (line, *(f"  {text}" for text in found))]


def print_steps(steps: Sequence[StepResult], ended: Ending, seed: int) -> None:
    """The table of all steps on stdout, latencies in milliseconds, and why there is no further one."""
    print_columns(_HEAD, [_row(step) for step in steps])
    print(f"ended: {ended}, seed {seed}")


def _row(step: StepResult) -> tuple[str, ...]:
    latency, requests = step.latency_ms, step.requests
    values = (latency.average, latency.p50, latency.p90, latency.p95, latency.p99, latency.max)
    return (
        str(step.target),
        f"{step.rps:.1f}",
        *(_ms(value) for value in values),
        str(requests.total),
        str(requests.total - requests.successful),
        _ms(step.lag_ms.p99),
        "yes" if step.trusted else "NO",
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
