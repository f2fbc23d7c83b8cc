"""How much of what it was given a service used during a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mop.loadtest.exchange import NS
from mop.loadtest.results import Utilization
from mop.serving.service import UsageSample


@dataclass(frozen=True)
class Given:
    """What is 100 per cent."""

    cpus: float
    memory_bytes: int


def utilization(samples: Sequence[UsageSample], begin_ns: int, end_ns: int, given: Given) -> Utilization | None:
    """Averages between two moments in per cent; None without two samples between them."""
    inside = [sample for sample in samples if begin_ns <= sample.at_ns <= end_ns]
    if len(inside) <= 1:
        return None
    cpus = _rate(inside, lambda sample: sample.cpu_s)
    memory = _mean(inside, lambda sample: sample.memory_bytes)
    return Utilization(
        cpu=None if cpus is None else 100 * cpus / given.cpus,
        memory=None if memory is None else 100 * memory / given.memory_bytes,
        disk=_percent(_rate(inside, lambda sample: sample.disk_busy_s)),
        gpu=_percent(_mean(inside, lambda sample: sample.gpu)),
        gpu_memory=_percent(_mean(inside, lambda sample: sample.gpu_memory)),
    )


_Reading = Callable[[UsageSample], float | None]


def _rate(samples: Sequence[UsageSample], reading: _Reading) -> float | None:
    """How fast a counter rose, a second; one that fell (a process that ended unseen) did not rise."""
    first, last = reading(samples[0]), reading(samples[-1])
    if first is None or last is None:
        return None
    return max(0.0, last - first) / ((samples[-1].at_ns - samples[0].at_ns) / NS)


def _mean(samples: Sequence[UsageSample], reading: _Reading) -> float | None:
    known = [value for value in map(reading, samples) if value is not None]
    return sum(known) / len(known) if known else None


def _percent(share: float | None) -> float | None:
    return None if share is None else min(100.0, 100 * share)
