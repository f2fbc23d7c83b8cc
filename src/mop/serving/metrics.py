"""Counters of a service in Prometheus' text format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

from mop.prometheus_text import NO_LABELS, head, sample

LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 32.0, 64.0, 128.0)


class Histogram:
    """Counts per bucket; buckets include their upper bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: Mapping[str, object] = NO_LABELS) -> list[str]:
        """The samples of the histogram `name`."""
        lines = []
        total = 0
        for bound, count in zip([*(f"{bound:g}" for bound in self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            lines.append(sample(f"{name}_bucket", total, {**labels, "le": bound}))
        return [*lines, sample(f"{name}_sum", round(self._sum, 6), labels), sample(f"{name}_count", total, labels)]


class Metrics:
    """Everything that a process of a front counts.

    Args:
        worker: number of the process where a service has several, each with its own metrics; a label of every sample.
    """

    def __init__(self, worker: int | None = None) -> None:
        self._labels: Mapping[str, object] = NO_LABELS if worker is None else {"worker": worker}
        self.requests: Counter[int] = Counter()
        self.latency = Histogram(LATENCY_BOUNDS_S)
        self.batch_size = Histogram(BATCH_BOUNDS)
        self.abandoned = 0
        self.retried = 0
        self.boots = 0
        self.deaths = 0

    def text(self, gauges: Mapping[str, tuple[float, str]]) -> str:
        """The whole page; `gauges` maps names to (value now, help)."""
        lines = _head("requests_total", "counter", "Requests to /score by status code.")
        lines += [self._sample("requests_total", count, code=code) for code, count in sorted(self.requests.items())]
        counters = (
            ("abandoned_items_total", self.abandoned, "Items dropped because their caller gave up."),
            ("retried_items_total", self.retried, "Items run again because another one blocked their process."),
            ("process_boots_total", self.boots, "Model processes started."),
            ("process_deaths_total", self.deaths, "Model processes that ended."),
        )
        for name, count, text in counters:
            lines += [*_head(name, "counter", text), self._sample(name, count)]
        for name, (value, text) in gauges.items():
            lines += [*_head(name, "gauge", text), self._sample(name, value)]
        lines += _head("request_seconds", "histogram", "Time from a request's arrival to its answer.")
        lines += self.latency.lines("mop_service_request_seconds", self._labels)
        lines += _head("batch_size", "histogram", "Items handed to a model process in one frame.")
        lines += self.batch_size.lines("mop_service_batch_size", self._labels)
        return "\n".join(lines) + "\n"

    def _sample(self, name: str, value: float, **labels: object) -> str:
        return sample(f"mop_service_{name}", value, {**self._labels, **labels})


def _head(name: str, kind: str, text: str) -> list[str]:
    return head(f"mop_service_{name}", kind, text)
