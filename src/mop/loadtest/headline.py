"""The answer of a load test in one line: the most requests a second it bore, how fast it was there, what limits it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mop.loadtest.metrics import CPU, DISK, GPU, GPU_MEMORY, MEMORY
from mop.loadtest.models import LoadTest
from mop.loadtest.results import StepResult
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision
from mop.serving_options import LoadTestOption

FAILED_SHARE_MAX = 0.01  # the share of failed requests at which a load test stops
BUSY_PERCENT = 90.0
_RESOURCES = ((CPU, "CPU"), (GPU, "GPU"), (MEMORY, "Memory"), (GPU_MEMORY, "GPU memory"), (DISK, "Disk"))


@dataclass(frozen=True)
class Headline:
    """What the best step says.

    Attributes:
        rps: the highest actual requests a second of a step that did not fail.
        target: of that step: clients, or requests a second that were asked for.
        p99_ms, p50_ms: its latency; None without a success.
        limit, limit_note: what limits it, and how that is known.
        doubts: why that step is not trusted; empty: it is.
    """

    rps: float
    target: int
    p99_ms: float | None
    p50_ms: float | None
    limit: str
    limit_note: str
    doubts: tuple[str, ...]


def best_step(steps: Sequence[StepResult]) -> StepResult | None:
    """The step with the most actual requests a second among those that failed at most 1 % of theirs."""
    borne = [step for step in steps if step.requests.total and not _failed(step)]
    return max(borne, key=lambda step: step.rps, default=None)


def headline_of(test: LoadTest, steps: Sequence[StepResult]) -> Headline | None:
    """The headline of a load test; None where no step was borne."""
    best = best_step(steps)
    if best is None:
        return None
    limit, note = _limit(test, steps, best)
    latency = best.latency_ms
    return Headline(best.rps, best.target, latency.p99, latency.p50, limit, note, best.untrusted_because)


def headlines_of(revisions: Iterable[Revision]) -> dict[uuid.UUID, Headline]:
    """The headline of the newest finished run of each revision; of several modalities the slowest. Two queries."""
    tests = LoadTest.objects.filter(revision__in=[row.pk for row in revisions], state=LoadTestState.FINISHED)
    newest: dict[uuid.UUID, list[LoadTest]] = {}
    for test in tests.order_by("run").prefetch_related("steps"):
        others = [other for other in newest.get(test.revision_id, []) if other.run == test.run]
        newest[test.revision_id] = [*others, test]
    found = {}
    for revision_id, of_run in newest.items():
        headlines = [headline_of(test, [step.measured for step in test.steps.all()]) for test in of_run]
        borne = [headline for headline in headlines if headline is not None]
        if borne:
            found[revision_id] = min(borne, key=lambda headline: headline.rps)
    return found


def differences(test: LoadTest, other: LoadTest) -> list[str]:
    """Why two results do not compare like with like: other duration of a step, instance type or host."""
    mine, theirs = test.get_conditions(), other.get_conditions()
    found = []
    if test.get_plan().duration_s != other.get_plan().duration_s:
        found.append(f"steps of {other.get_plan().duration_s:g} s instead of {test.get_plan().duration_s:g} s")
    if mine is None or theirs is None:
        return found
    for name, what in (("instance_type", "instance type"),):
        here, there = mine.configuration.get(name), theirs.configuration.get(name)
        if here != there:
            found.append(f"{what} {there} instead of {here}")
    if mine.host != theirs.host:
        found.append(f"host {theirs.host} instead of {mine.host}")
    elif (mine.cpus, mine.memory_bytes) != (theirs.cpus, theirs.memory_bytes):
        found.append(f"{theirs.cpus:g} vCPU instead of {mine.cpus:g} vCPU, or another memory")
    return found


def _failed(step: StepResult) -> bool:
    return step.requests.user_failed + step.requests.system_failed > FAILED_SHARE_MAX * step.requests.total


def _limit(test: LoadTest, steps: Sequence[StepResult], best: StepResult) -> tuple[str, str]:
    used = [(metric.of(best), name) for metric, name in _RESOURCES]
    percent, name = max(((value, name) for value, name in used if value is not None), default=(0.0, ""))
    conditions = test.get_conditions()
    if percent >= BUSY_PERCENT:
        of = f" of {conditions.cpus:g} vCPU" if conditions and name == "CPU" else ""
        return name, f"{percent:.0f} %{of}"
    if any(_failed(step) for step in steps):
        return "Failures", "the next step failed over 1 %"
    if best is steps[-1] and test.ended != "plateau":
        return "Not reached", "the last step was the best"
    if test.option == LoadTestOption.PER_RPS:
        return "Unknown", "no resource was over 90 %"
    return "Throughput", "more clients brought no more"
