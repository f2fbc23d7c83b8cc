"""When the requests of PerRPS start: instants from a recorded seed, the same on every machine and version.

numpy promises that the raw output of a named bit generator never changes, but not what its distributions make of it.
So instants are made here from the raw output, with operations that IEEE 754 defines exactly.
"""

from __future__ import annotations

import enum
import math
from array import array

import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray

from mop.loadtest.plan import Arrivals

NS = 1_000_000_000
_NEGLIGIBLE = 1e-20


class Stream(enum.IntEnum):
    """Independent streams of random numbers of one step."""

    COUNTED = 0
    WARM_UP = 1
    PROBES = 2


def arrivals(
    rate: int, seconds: float, *, seed: int, kind: Arrivals = Arrivals.UNIFORM, stream: Stream = Stream.COUNTED
) -> array[int]:
    """Intended starts in nanoseconds from 0 to `seconds`, ascending.

    Uniform: each second holds exactly `rate` starts at independent, uniformly random instants. Poisson: the number in
    each second is random as well (given their number, the instants of a Poisson process are uniform). They depend
    on seed, rate, kind and stream only: not on the steps before, nor, but for the cut, on `seconds`.
    """
    source = PCG64(SeedSequence([seed, rate, int(stream)]))
    whole = math.ceil(seconds)
    if kind is Arrivals.POISSON:
        counts = _poisson_counts(_uniforms(PCG64(SeedSequence([seed, rate, int(stream), 1])), whole), rate)
    else:
        counts = np.full(whole, rate)
    begins = np.repeat(np.arange(whole, dtype=np.int64) * NS, counts)
    # a product of a double below 1 and 1e9 is below 1e9 even when it is rounded: no start leaves its second
    instants = begins + np.floor(_uniforms(source, len(begins)) * NS).astype(np.int64)
    instants.sort()
    return array("q", instants[instants < round(seconds * NS)].tobytes())


def _uniforms(source: PCG64, count: int) -> NDArray[np.float64]:
    """Doubles in [0, 1): the upper 53 bits of each raw number."""
    return (source.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _poisson_counts(uniforms: NDArray[np.float64], mean: int) -> NDArray[np.int64]:
    """Poisson numbers by inversion. The probabilities are ratios to that of the mode: products only, no exp."""
    upward, probability, count = [1.0], 1.0, mean
    while probability > _NEGLIGIBLE:
        count += 1
        probability *= mean / count
        upward.append(probability)
    downward, probability, count = [], 1.0, mean
    while probability > _NEGLIGIBLE and count > 0:
        probability *= count / mean
        count -= 1
        downward.append(probability)
    # cumsum adds one after the other; sum() may add in any order, and so round differently elsewhere
    cumulated = np.cumsum(np.array(downward[::-1] + upward))
    found: NDArray[np.int64] = count + np.searchsorted(cumulated, uniforms * cumulated[-1], side="right")
    return found
