"""A run as plain data: what the API answers, what is downloaded as JSON and as CSV, and the table on the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from mop.loadtest.models import LoadTest, LoadTestStep
from mop.loadtest.selectors import Run, get_run, runs_of, state_without_run
from mop.registry.models import Revision

# the columns of table and CSV: name, heading, and the way into a step's result
COLUMNS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("rps", "Requests per second", ("rps",)),
    ("latency_average_ms", "Average (ms)", ("latency_ms", "average")),
    ("latency_p50_ms", "P50 (ms)", ("latency_ms", "p50")),
    ("latency_p90_ms", "P90 (ms)", ("latency_ms", "p90")),
    ("latency_p95_ms", "P95 (ms)", ("latency_ms", "p95")),
    ("latency_p99_ms", "P99 (ms)", ("latency_ms", "p99")),
    ("latency_max_ms", "Max (ms)", ("latency_ms", "max")),
    ("requests_total", "Total", ("requests", "total")),
    ("requests_successful", "Successful", ("requests", "successful")),
    ("requests_user_failed", "User failed", ("requests", "user_failed")),
    ("requests_system_failed", "System failed", ("requests", "system_failed")),
    ("disk_percent", "Disk (%)", ("utilization", "disk")),
    ("cpu_percent", "CPU (%)", ("utilization", "cpu")),
    ("memory_percent", "Memory (%)", ("utilization", "memory")),
    ("gpu_percent", "GPU (%)", ("utilization", "gpu")),
    ("gpu_memory_percent", "GPU memory (%)", ("utilization", "gpu_memory")),
    ("lag_p50_ms", "Lag P50 (ms)", ("lag_ms", "p50")),
    ("lag_p99_ms", "Lag P99 (ms)", ("lag_ms", "p99")),
)


def document_of(revision: Revision, number: int | None = None) -> dict[str, Any]:
    """A revision's run, the newest without a number, and its state; `tests` is empty where there is none.

    Raises:
        NotFoundError: there is no run of this number.
    """
    run = get_run(revision, number)
    return {
        "model": revision.model.name,
        "version": revision.version,
        "state": run.state if run else state_without_run(revision),
        "is_final": run is None or run.state.is_final,
        "load_test_option": revision.load_test_option,
        "run": run.number if run else None,
        "runs": runs_of(revision),
        "tests": [_test(test) for test in run.tests] if run else [],
    }


def _test(test: LoadTest) -> dict[str, Any]:
    plan = test.plan
    steps = [step.result for step in test.steps.all()]
    return {
        "id": test.pk,
        "modality": test.modality,
        "state": test.state,
        "strategy": test.option,
        "targets": plan["targets"],
        "duration_s": plan["duration_s"],
        "warm_up_s": plan["warm_up_s"],
        "timeout_s": plan["timeout_s"],
        "budget_s": plan["budget_s"],
        "seed": plan["seed"],
        "arrivals": plan["arrivals"],
        "ended": test.ended,
        "error": test.error,
        "note": test.note,
        "progress": test.progress,
        "conditions": test.conditions,
        "steps": steps,
        "trusted": all(step["trusted"] for step in steps),
        "created_at": test.created_at,
        "created_by": test.created_by_label,
        "started_at": test.started_at,
        "ended_at": test.ended_at,
    }


def value_in(result: dict[str, Any], way: tuple[str, ...]) -> Any:
    """A value of a step's result; None where a part on the way is."""
    found: Any = result
    for name in way:
        if found is None:
            return None
        found = found[name]
    return found


def measured_columns(test: LoadTest) -> list[tuple[str, str, tuple[str, ...]]]:
    """The columns that any step of a load test has a value for."""
    results = [step.result for step in test.steps.all()]
    return [column for column in COLUMNS if any(value_in(result, column[2]) is not None for result in results)]


def csv_of(run: Run) -> str:
    """Every step of a run, a line each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["modality", "option", "target", *(name for name, _, _ in COLUMNS), "trusted"])
    for test in run.tests:
        writer.writerows(_lines(test))
    return text.getvalue()


def _lines(test: LoadTest) -> Iterator[list[Any]]:
    step: LoadTestStep
    for step in test.steps.all():
        values = [value_in(step.result, way) for _, _, way in COLUMNS]
        yield [test.modality, test.option, step.target, *values, "yes" if step.result["trusted"] else "no"]
