"""How sure a metric is: 95 % intervals.

Shares (accuracy, recall, precision and their micro averages) have Wilson's score interval. F1 of a label is a growing
function of the share J = TP / (TP + FP + FN), 2J / (1 + J), and so has the image of J's interval. Everything else is
resampled: counts are drawn anew from the multinomial distribution of the matrix's cells, and the interval reaches from
the 2.5th to the 97.5th percentile of the metric.

Resampling alone says [1, 1] of a matrix without an error. So where a label has fewer than 5 errors, or fewer than 5
hits, the missing ones are imagined: as many as Wilson's interval adds (z² / 2, about two), spread over the cells in
which they could have been. The interval then reaches from the lowest to the highest percentile of both resamplings.

Draws are seeded by the counts themselves: the same matrix has the same interval wherever it is computed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.deferred import np
from mop.evaluation.metrics.matrix import (
    BY_LABEL,
    ConfusionMatrix,
    Counts,
    Metric,
    Values,
    correct,
    known,
    predicted,
    support,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z_95 = 1.959963984540054  # the 97.5th percentile of the normal distribution
DRAWS = 2000
FEW = 5  # a label with fewer errors, or fewer hits, has imagined ones besides
IMAGINED = Z_95**2 / 2
_PERCENTS = (2.5, 97.5)
# half the 5th percentile of the chi-squared distribution with 2, 4, 6 degrees of freedom
_POISSON_LOW = {1: 0.05129329438755058, 2: 0.35536151069866195, 3: 0.8176914471639534}


@dataclass(frozen=True)
class Interval:
    """The true value lies between `low` and `high` with 95 % confidence."""

    low: float
    high: float


def wilson(hits: int, total: int) -> Interval | None:
    """Wilson's score interval of a share; None without a try."""
    if not total:
        return None
    share, square = hits / total, Z_95**2
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = Z_95 / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    # at the extremes rounding leaves a trace that would keep the interval from its own share
    return Interval(0.0 if hits == 0 else centre - half, 1.0 if hits == total else centre + half)


def share_interval(hits: int, total: int) -> Interval | None:
    """Wilson's interval of a share, made safe near 0 and 1; None without a try.

    With up to three hits, or misses, Wilson's nearer end lies too far inside: where one error is expected it covers
    91 %. There the Poisson distribution's 5th percentile takes its place (Brown, Cai, DasGupta 2001, "Interval
    estimation for a binomial proportion", section 4.1.1).
    """
    interval = wilson(hits, total)
    if interval is None:
        return None
    low, high = interval.low, interval.high
    if hits in _POISSON_LOW:
        low = min(low, _POISSON_LOW[hits] / total)
    if total - hits in _POISSON_LOW:
        high = max(high, 1 - _POISSON_LOW[total - hits] / total)
    return Interval(low, high)


def f1_interval(hits: int, errors: int) -> Interval | None:
    """The interval of a label's F1; None where F1 is undefined.

    Args:
        hits: true positives.
        errors: false positives and false negatives together.
    """
    share = share_interval(hits, hits + errors)
    return share and Interval(2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))


def label_intervals(matrix: ConfusionMatrix) -> tuple[Mapping[str, Interval | None], ...]:
    """Of each label of the dataset, the intervals of its metrics by name."""
    hits, said, real = (part(matrix.counts) for part in (correct, predicted, support))
    return tuple(
        {
            "precision": share_interval(int(hits[place]), int(said[place])),
            "recall": share_interval(int(hits[place]), int(real[place])),
            "f1": f1_interval(int(hits[place]), int(said[place] + real[place] - 2 * hits[place])),
        }
        for place in range(len(matrix.labels))
    )


def shares(matrix: ConfusionMatrix) -> Mapping[str, Interval | None]:
    """The intervals of those metrics of the whole that are shares."""
    hits, said = int(correct(matrix.counts).sum()), int(predicted(matrix.counts).sum())
    return {
        "accuracy": share_interval(hits, matrix.total),
        "micro_precision": share_interval(hits, said),
        "micro_recall": share_interval(hits, matrix.total),
    }


def resampled(matrix: ConfusionMatrix, metrics: Mapping[str, Metric]) -> Mapping[str, Interval | None]:
    """The intervals of metrics by resampling; None where a metric is undefined, or most draws leave it undefined."""
    generator = generator_for(matrix.counts)
    drawn = [_draw(matrix.counts.astype(np.float64), matrix.total, generator)] if matrix.total else []
    if drawn and (imagined := _with_imagined(matrix.counts)) is not None:
        drawn.append(_draw(imagined, matrix.total, generator))
    found: dict[str, Interval | None] = {}
    for name, metric in metrics.items():
        if known(metric(matrix.counts)) is None:
            found[name] = None
            continue
        found[name] = percentiles([metric(counts) for counts in drawn])
    return found


def percentiles(drawn: list[Values]) -> Interval | None:
    """The interval of a metric from its values in one or more resamplings; None where most of a resampling is NaN."""
    kept = [values[~np.isnan(values)] for values in drawn]
    if any(2 * len(values) < len(all_of_it) for values, all_of_it in zip(kept, drawn, strict=True)):
        return None
    ends = [np.percentile(values, _PERCENTS) for values in kept]
    return Interval(float(min(low for low, _ in ends)), float(max(high for _, high in ends)))


def generator_for(*counts: NDArray[np.generic]) -> np.random.Generator:
    """Random numbers that are always the same for the same counts."""
    digest = hashlib.sha256()
    for one in counts:
        digest.update(repr(one.shape).encode() + np.ascontiguousarray(one, dtype="<i8").tobytes())
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest.digest(), "big")))


def _draw(weights: Values, total: int, generator: np.random.Generator) -> Counts:
    """DRAWS matrices of `total` rows each, whose cells come up by their weights; shape (DRAWS, rows, columns)."""
    drawn: Counts = generator.multinomial(total, (weights / weights.sum()).ravel(), size=DRAWS)
    return drawn.reshape(DRAWS, *weights.shape)


def _with_imagined(counts: Counts) -> Values | None:
    """The counts with imagined errors, and hits, of the labels that have few; None where none has few.

    A label's errors are imagined half among its own rows and half among those that are predicted as it, in proportion
    to where rows are.
    """
    rows = counts.shape[-2]
    hits, real, said = correct(counts), support(counts), predicted(counts)
    errors = real + said - 2 * hits
    imagined = counts.astype(np.float64)
    found = False
    for place in range(rows):
        if not real[place] + said[place]:
            continue
        if errors[place] < FEW:
            found = True
            across = np.ones(counts.shape[-1])
            across[place] = 0
            imagined[place] += IMAGINED / 2 * across / across.sum()
            down = np.where(np.arange(rows) == place, 0, real).astype(np.float64)
            if down.sum():
                imagined[:, place] += IMAGINED / 2 * down / down.sum()
        if hits[place] < FEW:
            found = True
            imagined[place, place] += IMAGINED
    return imagined if found else None


def intervals(matrix: ConfusionMatrix, metrics: Mapping[str, Metric]) -> Mapping[str, Interval | None]:
    """The intervals of metrics of the whole: as shares where they are shares, else by resampling."""
    as_shares = shares(matrix)
    rest = {name: metric for name, metric in metrics.items() if name not in as_shares}
    return {name: as_shares[name] for name in metrics if name in as_shares} | dict(resampled(matrix, rest))


__all__ = [
    "BY_LABEL",
    "Interval",
    "f1_interval",
    "intervals",
    "label_intervals",
    "resampled",
    "share_interval",
    "shares",
    "wilson",
]
