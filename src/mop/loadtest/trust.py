"""Whether a step measured the service, or the generator itself."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_LAG_SHARE = 0.1
LAG_FLOOR_NS = 100_000  # a tenth of a millisecond more or less decides about no model
LARGEST_CPU = 0.9
LEAST_ACHIEVED = 0.99


@dataclass(frozen=True)
class SelfCheck:
    """What the generator noticed about itself in a step.

    Attributes:
        lag_ns: P50 and P99 of how late it did what was due: sent a request (PerRPS), woke up (PerConcurrency).
        latency_ns: P50 and P99 of the measured latency; None without a success.
        cpu: share of one core that its process took; it has one thread.
        achieved: requests sent within the step over those due in it; None where nothing was due, as in a closed loop.
        own_failures: requests that failed for want of something of its own: descriptors, ports, memory.
    """

    lag_ns: tuple[int, int]
    latency_ns: tuple[int, int] | None
    cpu: float
    achieved: float | None
    own_failures: int


def doubts(check: SelfCheck) -> tuple[str, ...]:
    """Why the step is not to be trusted; empty: it is."""
    found = []
    if check.latency_ns is not None:
        for name, lag, latency in zip(("P50", "P99"), check.lag_ns, check.latency_ns, strict=True):
            if lag > max(LAG_FLOOR_NS, LARGEST_LAG_SHARE * latency):
                found.append(
                    f"lag: the generator was late by {lag / 1e6:.2f} ms ({name}), "
                    f"over a tenth of the latency of {latency / 1e6:.2f} ms"
                )
    if check.cpu > LARGEST_CPU:
        found.append(f"cpu: the generator took {check.cpu:.0%} of the one core that it can use")
    if check.achieved is not None and check.achieved < LEAST_ACHIEVED:
        found.append(f"rate: {check.achieved:.1%} of the requests were sent within the step")
    if check.own_failures:
        found.append(f"own: {check.own_failures} requests failed for want of descriptors, ports or memory of its own")
    return tuple(found)
