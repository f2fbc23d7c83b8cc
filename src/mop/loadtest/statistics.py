"""Numbers of one step: percentiles, their confidence from windows, and stalls that percentiles do not show.

A percentile is the nearest rank: the smallest observed value that at least p per cent of the values do not exceed
(numpy's "inverted_cdf"). It is always a latency that somebody had, in whole nanoseconds; between two far apart values
of the tail nothing is invented. Ranks are computed in integers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.int64]

PERCENTILES = (50, 90, 95, 99)
WINDOWS = 10
T_95_OF_9 = 2.2621571628540993  # 97.5th percentile of Student's t with WINDOWS - 1 degrees of freedom
LEAST_BEYOND = 3  # values that a window must have beyond a percentile to say something about it
_CONFIDENCE = 0.95
_NEGLIGIBLE = 1e-20
STALL_FACTOR = 10
STALL_SHARE = 0.01


def percentile(ordered: Values, percent: int) -> int:
    """The nearest rank among ascending values.

    Raises:
        ValueError: there are no values.
    """
    if not len(ordered):
        raise ValueError("no values have no percentile")
    return int(ordered[max(1, -(-len(ordered) * percent // 100)) - 1])


def interval(ordered: Values, in_order_of_time: Values, percent: int) -> tuple[int, int] | None:
    """An interval that holds the percentile with 95 % confidence; None where there are too few values to say.

    The wider at each side of two:
    - order statistics: ranks by the binomial distribution; exact for independent values, whatever their distribution.
    - windows: the values in order of time in 10 windows of as many values each; the spread of the windows' percentiles
      around the whole's by Student's t. Latencies of a queue come in spells, so independent they are not; spells make
      windows differ. Left out where a window has too few values beyond the percentile.
    """
    ranks = _ranks(len(ordered), percent)
    if ranks is None:
        return None
    low, high = int(ordered[ranks[0] - 1]), int(ordered[ranks[1] - 1])
    if len(ordered) * (100 - percent) >= LEAST_BEYOND * WINDOWS * 100:
        whole = percentile(ordered, percent)
        parts = [percentile(np.sort(part), percent) for part in np.array_split(in_order_of_time, WINDOWS)]
        spread = sum((part - whole) ** 2 for part in parts) / (WINDOWS - 1)
        half = round(T_95_OF_9 * (spread / WINDOWS) ** 0.5)
        low, high = min(low, max(0, whole - half)), max(high, whole + half)
    return low, high


def _ranks(count: int, percent: int) -> tuple[int, int] | None:
    """Ranks l < u such that the l-th and u-th of `count` independent values enclose the percentile with 95 %."""
    chances = _binomial(count, percent / 100)
    cumulated = np.cumsum(chances)
    tail = (1 - _CONFIDENCE) / 2
    # P(fewer than l values lie at or below it) <= tail, P(u or more do) <= tail
    low = int(np.searchsorted(cumulated, tail, side="right"))
    high = int(np.searchsorted(cumulated, 1 - tail, side="left")) + 1
    return (low, high) if low >= 1 and high <= count else None


def _binomial(count: int, chance: float) -> NDArray[np.float64]:
    """Probabilities of 0..count successes: ratios to the mode's, which neither under- nor overflow."""
    mode = min(count, int((count + 1) * chance))
    odds = chance / (1 - chance)
    up = np.arange(mode, count, dtype=np.float64)
    down = np.arange(mode, 0, -1, dtype=np.float64)
    with np.errstate(under="ignore"):
        above = np.cumprod((count - up) / (up + 1) * odds)
        below = np.cumprod(down / (count - down + 1) / odds)
    chances = np.concatenate((below[::-1], [1.0], above))
    chances[chances < _NEGLIGIBLE] = 0.0
    scaled: NDArray[np.float64] = chances / chances.sum()
    return scaled


def precise(intervals: Sequence[tuple[int, int] | None], values: Sequence[int], precision: float) -> bool:
    """Whether each interval reaches at most the share `precision` of its percentile to either side."""
    return all(
        found is not None and max(value - found[0], found[1] - value) <= precision * value
        for found, value in zip(intervals, values, strict=True)
    )


def stalled_share(ordered: Values) -> float:
    """The share of the clients' time that went by in requests slower than ten times P99; 0 if under 1 %.

    In a closed loop a service that stands still is asked by few: clients wait instead of sending (coordinated
    omission), and P99 looks past it. Weighed by time the same requests cannot hide.
    """
    if not len(ordered):
        return 0.0
    slow = ordered[ordered > STALL_FACTOR * percentile(ordered, 99)]
    share = float(slow.sum()) / max(1.0, float(ordered.sum()))
    return share if share > STALL_SHARE else 0.0
