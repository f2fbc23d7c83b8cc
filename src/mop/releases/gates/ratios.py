"""A value as a ratio to that of the release that is live before."""

from __future__ import annotations

from collections.abc import Callable

from mop.evaluation.metrics.intervals import Interval
from mop.releases.gates.verdicts import Measured, Missing, Reading


def ratio(now: Reading, then: Reading, change: Callable[[], Interval | None] | None = None) -> Reading:
    """The value of a version divided by that of the previous release.

    Args:
        now: of the version.
        then: of the previous release.
        change: gives the 95 % interval of the difference, now minus then, where it can be known; asked when both are
            measured. The interval of the ratio follows from it, the previous value taken as it is.
    """
    if isinstance(now, Missing):
        return now
    if isinstance(then, Missing):
        # there is a previous release, so "or none" does not excuse what it lacks
        return Missing(f"Of the previous release: {then.reason}", then.step)
    if then.value == 0:
        return Missing("The value of the previous release is 0, so there is no ratio to it.")
    value = now.value / then.value
    interval = change() if change else None
    if interval is None:
        return Measured(value, of=now.of)
    return Measured(value, 1 + interval.low / then.value, 1 + interval.high / then.value, now.of)
