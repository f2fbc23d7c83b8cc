"""The four charts of a load test, alone or with others laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mop.loadtest.documents import value_in
from mop.loadtest.models import LoadTest
from mop.serving_options import LoadTestOption
from mop.ui.charts import Drawing, Series, draw

X_LABELS = {LoadTestOption.PER_RPS: "Target RPS", LoadTestOption.PER_CONCURRENCY: "Concurrency count"}


@dataclass(frozen=True)
class _Chart:
    key: str
    title: str
    series: tuple[tuple[str, tuple[str, ...]], ...]
    unit: str = ""
    leaves_out_unknown: bool = False


_CHARTS = (
    _Chart("rps", "Request Per Second", (("RPS", ("rps",)),)),
    _Chart(
        "latency",
        "Latency (ms)",
        (
            ("P50", ("latency_ms", "p50")),
            ("P90", ("latency_ms", "p90")),
            ("P95", ("latency_ms", "p95")),
            ("P99", ("latency_ms", "p99")),
            ("Average", ("latency_ms", "average")),
        ),
    ),
    _Chart(
        "requests",
        "Total request count",
        (
            ("Total", ("requests", "total")),
            ("Successful", ("requests", "successful")),
            ("User failed", ("requests", "user_failed")),
            ("System failed", ("requests", "system_failed")),
        ),
    ),
    _Chart(
        "utilization",
        "Resource util percentage",
        (
            ("Disk", ("utilization", "disk")),
            ("CPU", ("utilization", "cpu")),
            ("Memory", ("utilization", "memory")),
            ("GPU", ("utilization", "gpu")),
            ("GPU memory", ("utilization", "gpu_memory")),
        ),
        unit="%",
        leaves_out_unknown=True,
    ),
)


def charts_of(tests: Sequence[LoadTest]) -> list[Drawing]:
    """The charts of a load test, and of others of its modality and option laid over it."""
    first = tests[0]
    return [
        draw(
            f"{chart.key}-{first.modality}",
            title=chart.title,
            x_label=X_LABELS[LoadTestOption(first.option)],
            series=_series(chart, tests),
            unit=chart.unit,
        )
        for chart in _CHARTS
    ]


def _series(chart: _Chart, tests: Sequence[LoadTest]) -> list[Series]:
    found = []
    for test in tests:
        run = test.revision.version if len(tests) > 1 else ""
        for name, way in chart.series:
            points = {float(step.target): value_in(step.result, way) for step in test.steps.all()}
            if chart.leaves_out_unknown and all(value is None for value in points.values()):
                continue
            found.append(Series(name, points, run))
    return found
