"""Latencies in buckets whose width grows with the value: to keep, draw and add up, not to compute percentiles from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FIRST_OCTAVE, LAST_OCTAVE = 10, 37  # from 1 microsecond to 137 seconds
PARTS = 16  # of each doubling: a bucket is at most 1/16 of its values wide

EDGES = tuple(
    [0] + [(PARTS + part) << (octave - 4) for octave in range(FIRST_OCTAVE, LAST_OCTAVE) for part in range(PARTS)]
)
"""Where buckets begin, in nanoseconds; the last has no end."""

Bucket = tuple[int, int]
"""Where it begins, in nanoseconds, and how many values it holds."""


def histogram(values: NDArray[np.int64]) -> tuple[Bucket, ...]:
    """The buckets that are not empty, ascending."""
    places = np.searchsorted(np.array(EDGES), values, side="right") - 1
    counts = np.bincount(places, minlength=len(EDGES))
    return tuple((EDGES[place], int(counts[place])) for place in np.flatnonzero(counts))


def merged(histograms: Sequence[Sequence[Bucket]]) -> tuple[Bucket, ...]:
    """The histogram of all values together."""
    total: dict[int, int] = {}
    for buckets in histograms:
        for begin, count in buckets:
            total[begin] = total.get(begin, 0) + count
    return tuple(sorted(total.items()))
