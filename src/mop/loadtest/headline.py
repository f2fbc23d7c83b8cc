"""The answer of a load test in one line: the most requests a second it bore, how fast it was there, what limits it."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, prefetch_related_objects

from mop.loadtest.metrics import CPU, DISK, GPU, GPU_MEMORY, MEMORY
from mop.loadtest.models import LoadTest
from mop.loadtest.results import StepResult
from mop.loadtest.selectors import state_without_run
from mop.loadtest.states import LoadTestState, state_of_run
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


@dataclass(frozen=True)
class Standing:
    """Where a revision stands with load tests: the state of its newest run, and the newest finished run's headline."""

    state: LoadTestState
    headline: Headline | None
    is_tested: bool


def standings_of(revisions: Iterable[Revision]) -> dict[uuid.UUID, Standing]:
    """Where each revision stands. Two queries."""
    rows = list(revisions)
    tests = LoadTest.objects.filter(revision__in=[row.pk for row in rows])
    return {row.pk: standing for row, standing in _standings(rows, tests)}


def standings_and_newest(
    revisions: Sequence[Revision], among: QuerySet[Revision] | None
) -> tuple[dict[uuid.UUID, Standing], tuple[Revision, Headline] | None]:
    """Where each revision stands; and the newest among others that was load-tested, with its headline. Two queries."""
    wanted = Q(revision__in=[row.pk for row in revisions])
    if among is not None:
        tested = among.filter(load_tests__state=LoadTestState.FINISHED).order_by("-created_at", "-id")
        wanted |= Q(revision__in=tested.values("pk")[:1])
    tests = LoadTest.objects.filter(wanted).select_related("revision__model")
    found = _standings(revisions, tests.defer("revision__sample_post_data"))
    finished = [(row.created_at, row.pk, row, standing.headline) for row, standing in found if standing.is_tested]
    newest = max(finished, default=None, key=operator.itemgetter(0, 1)) if among is not None else None
    headline = newest[3] if newest else None
    return {row.pk: standing for row, standing in found}, (newest[2], headline) if newest and headline else None


def _standings(revisions: Sequence[Revision], tests: QuerySet[LoadTest]) -> list[tuple[Revision, Standing]]:
    """The revisions and those of further tests, each with its standing."""
    rows = {row.pk: row for row in revisions}
    runs: dict[uuid.UUID, dict[int, list[LoadTest]]] = {key: {} for key in rows}
    for test in tests.defer("progress", "error").order_by("run"):
        if test.revision_id not in rows:
            rows[test.revision_id] = test.revision
        runs.setdefault(test.revision_id, {}).setdefault(test.run, []).append(test)
    finished = {key: _newest_finished(of_revision) for key, of_revision in runs.items()}
    prefetch_related_objects([test for of_run in finished.values() for test in of_run], "steps")
    return [
        (
            row,
            Standing(
                state_of_run([test.get_state() for test in runs[key][max(runs[key])]])
                if runs[key]
                else state_without_run(row),
                _slowest((test, [step.measured for step in test.steps.all()]) for test in finished[key]),
                is_tested=bool(finished[key]),
            ),
        )
        for key, row in rows.items()
    ]


def _newest_finished(runs: Mapping[int, list[LoadTest]]) -> list[LoadTest]:
    finished = {
        run: [test for test in tests if test.get_state() == LoadTestState.FINISHED] for run, tests in runs.items()
    }
    return next((finished[run] for run in sorted(finished, reverse=True) if finished[run]), [])


def _slowest(tests: Iterable[tuple[LoadTest, Sequence[StepResult]]]) -> Headline | None:
    """Of several modalities the slowest."""
    headlines = (headline_of(test, steps) for test, steps in tests)
    return min((one for one in headlines if one is not None), key=lambda one: one.rps, default=None)


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
