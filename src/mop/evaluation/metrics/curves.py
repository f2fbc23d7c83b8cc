"""Curves and calibration: functions of how scores are spread over a fixed grid of 101 thresholds.

A score counts with the highest threshold that it reaches. What is kept of a label are two histograms, of rows that have
it and of rows that have not; memory does not grow with the rows, histograms add up, and single scores cannot be read
from the results. Figures are those of scikit-learn on scores that were rounded down to the grid.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mop.deferred import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Histogram = NDArray[np.int64]
else:
    Histogram = Any


GRID = 101


@functools.cache
def threshold_grid() -> NDArray[np.float64]:
    """The grid, in order: 0 to 1."""
    return np.arange(GRID) / (GRID - 1)


def places(scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """The place in the grid of each score: the last threshold that it reaches.

    Raises:
        ValueError: a score is not between 0 and 1.
    """
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError("scores lie between 0 and 1")
    found = (np.asarray(scores, dtype=np.float64) * (GRID - 1)).astype(np.intp)
    # a product that was rounded may be one place too low or too high: the comparison with the threshold decides
    found -= threshold_grid()[found] > scores
    found += (found < GRID - 1) & (threshold_grid()[np.minimum(found + 1, GRID - 1)] <= scores)
    return found


@dataclass(frozen=True, eq=False)
class ScoreHistograms:
    """How the scores of one label are spread; they add up.

    Attributes:
        positive: rows that have the label, by place in the grid.
        negative: rows that have not.
    """

    positive: Histogram
    negative: Histogram

    @classmethod
    def of(cls, scores: NDArray[np.floating], has_label: NDArray[np.bool_]) -> ScoreHistograms:
        """Count rows.

        Raises:
            ValueError: a score is not between 0 and 1.
        """
        cells = places(scores) + GRID * has_label
        counts = np.bincount(cells, minlength=2 * GRID).reshape(2, GRID)
        return cls(positive=counts[1], negative=counts[0])

    def __add__(self, other: ScoreHistograms) -> ScoreHistograms:
        return ScoreHistograms(self.positive + other.positive, self.negative + other.negative)


@dataclass(frozen=True, eq=False)
class Curves:
    """What a label's scores tell at each threshold, the lowest first: a row is positive if its score reaches it.

    Attributes:
        true_positive_rate: recall at each threshold; None without a row that has the label.
        false_positive_rate: None without a row that has it not.
        precision: NaN where no row reaches the threshold.
        roc_auc: area below the ROC curve, by trapezoids; None is undefined.
        average_precision: area below the precision-recall curve, by steps; None is undefined.
    """

    true_positive_rate: NDArray[np.float64] | None
    false_positive_rate: NDArray[np.float64] | None
    precision: NDArray[np.float64]
    roc_auc: float | None
    average_precision: float | None


def curves(histograms: ScoreHistograms) -> Curves:
    """ROC and precision-recall of a label."""
    hits, alarms = (_reaching(counts) for counts in (histograms.positive, histograms.negative))
    precision = np.full(GRID, np.nan)
    np.divide(hits, hits + alarms, out=precision, where=hits + alarms > 0)
    positive, negative = int(hits[0]), int(alarms[0])
    average = None
    if positive:
        steps = histograms.positive / positive  # the recall that falls away behind each threshold
        average = float(np.nansum(steps * precision))
    return Curves(
        true_positive_rate=hits / positive if positive else None,
        false_positive_rate=alarms / negative if negative else None,
        precision=precision,
        roc_auc=auc(histograms.positive, histograms.negative),
        average_precision=average,
    )


def auc(positive: Histogram, negative: Histogram) -> float | None:
    """The probability that a row of the first scores higher than one of the second; ties count half.

    None where one of them has no row.
    """
    pairs = int(positive.sum()) * int(negative.sum())
    if not pairs:
        return None
    below = np.cumsum(negative) - negative
    wins = int(2 * (positive.astype(object) * below).sum() + (positive.astype(object) * negative).sum())
    return wins / (2 * pairs)


def _reaching(counts: Histogram) -> Histogram:
    found: Histogram = np.cumsum(counts[::-1])[::-1]
    return found


@dataclass(frozen=True)
class SubgroupAuc:
    """How well a label is told apart where a group is concerned (Borkan et al. 2019, "Nuanced metrics").

    Attributes:
        subgroup: rows of the group that have the label against rows of the group that have not.
        bpsn: background positive, subgroup negative: low means false alarms on the group.
        bnsp: background negative, subgroup positive: low means that the group's true cases are missed.
    """

    subgroup: float | None
    bpsn: float | None
    bnsp: float | None


def subgroup_auc(group: ScoreHistograms, everything: ScoreHistograms) -> SubgroupAuc:
    """Of the rows of a group against the background, which are all other rows.

    Args:
        group: of its rows.
        everything: of all rows, the group's among them.
    """
    background = ScoreHistograms(everything.positive - group.positive, everything.negative - group.negative)
    return SubgroupAuc(
        subgroup=auc(group.positive, group.negative),
        bpsn=auc(background.positive, group.negative),
        bnsp=auc(group.positive, background.negative),
    )


@dataclass(frozen=True, eq=False)
class Calibration:
    """Whether scores mean what they say: of rows by place in the grid, how many were right. They add up.

    Attributes:
        rows: by place of the score.
        scores: sums of the scores.
        right: how many rows of each place the scored statement was true for.
    """

    rows: Histogram
    scores: NDArray[np.float64]
    right: Histogram

    @classmethod
    def of(cls, scores: NDArray[np.floating], is_right: NDArray[np.bool_]) -> Calibration:
        """Count rows.

        Args:
            scores: of each row the score of its predicted label (or of one label).
            is_right: whether the row has that label.

        Raises:
            ValueError: a score is not between 0 and 1.
        """
        cells = places(scores)
        return cls(
            rows=np.bincount(cells, minlength=GRID),
            scores=np.bincount(cells, weights=scores, minlength=GRID).astype(np.float64),
            right=np.bincount(cells[is_right], minlength=GRID),
        )

    def __add__(self, other: Calibration) -> Calibration:
        return Calibration(self.rows + other.rows, self.scores + other.scores, self.right + other.right)

    @property
    def expected_error(self) -> float | None:
        """The expected calibration error: how far score and share of right rows lie apart, averaged over the rows."""
        total = int(self.rows.sum())
        return float(np.abs(self.right - self.scores).sum() / total) if total else None
