"""The four charts of a load test, alone or with others laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mop.loadtest.metrics import (
    AVERAGE,
    CPU,
    DISK,
    GPU,
    GPU_MEMORY,
    MEMORY,
    P50,
    P90,
    P95,
    P99,
    RPS,
    SUCCESSFUL,
    SYSTEM_FAILED,
    TOTAL,
    USER_FAILED,
    Metric,
)
from mop.loadtest.models import LoadTest
from mop.serving_options import LoadTestOption
from mop.ui.charts import Drawing, Series, draw

X_LABELS = {LoadTestOption.PER_RPS: "Target RPS", LoadTestOption.PER_CONCURRENCY: "Concurrency count"}


@dataclass(frozen=True)
class _Chart:
    key: str
    title: str
    metrics: tuple[Metric, ...]
    unit: str = ""
    leaves_out_unknown: bool = False


_CHARTS = (
    _Chart("rps", "Request Per Second", (RPS,)),
    _Chart("latency", "Latency (ms)", (P50, P90, P95, P99, AVERAGE)),
    _Chart("requests", "Total request count", (TOTAL, SUCCESSFUL, USER_FAILED, SYSTEM_FAILED)),
    _Chart(
        "utilization",
        "Resource util percentage",
        (DISK, CPU, MEMORY, GPU, GPU_MEMORY),
        unit=" %",
        leaves_out_unknown=True,
    ),
)


def charts_of(tests: Sequence[LoadTest], *, marked: float | None = None) -> list[Drawing]:
    """The charts of a load test, and of others of its modality and option; `marked` is the best step's target."""
    first = tests[0]
    return [
        draw(
            f"{chart.key}-{first.modality}",
            title=chart.title,
            x_label=X_LABELS[LoadTestOption(first.option)],
            series=_series(chart, tests),
            unit=chart.unit,
            marked=marked,
        )
        for chart in _CHARTS
    ]


def _series(chart: _Chart, tests: Sequence[LoadTest]) -> list[Series]:
    found = []
    for test in tests:
        run = test.revision.version if len(tests) > 1 else ""
        steps = [step.measured for step in test.steps.all()]
        for metric in chart.metrics:
            points = {float(step.target): metric.of(step) for step in steps}
            if chart.leaves_out_unknown and all(value is None for value in points.values()):
                continue
            found.append(Series(metric.label, points, run))
    return found
