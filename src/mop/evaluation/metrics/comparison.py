"""Whether two revisions really differ: the same rows, predicted by both.

What is compared is a table of rows by true label, prediction of the first and prediction of the second revision. Rows
on which both are right, or both wrong in whatever way, say nothing about which is better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.deferred import np
from mop.evaluation.metrics.intervals import DRAWS, Interval, generator_for, percentiles
from mop.evaluation.metrics.matrix import ConfusionMatrix, Metric, known

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT_UP_TO = 2000  # rows on which they differ; beyond, the chi-squared distribution is as good as exact
LEAST_DIFFERENT = 10


@dataclass(frozen=True, eq=False)
class Paired:
    """The predictions of two revisions on the same rows.

    Attributes:
        labels: of the dataset.
        outside: what else may be predicted.
        counts: of rows by true label, by the first's and by the second's prediction; shape (labels, columns, columns),
            columns as in a `ConfusionMatrix`.
    """

    labels: tuple[str, ...]
    outside: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def from_codes(
        cls,
        true: NDArray[np.integer],
        first: NDArray[np.integer],
        second: NDArray[np.integer],
        labels: Sequence[str],
        outside: Sequence[str] = (),
    ) -> Paired:
        """Count rows; codes as in `ConfusionMatrix.from_codes`.

        Raises:
            ValueError: different numbers of rows, or a code that names nothing.
        """
        columns = len(labels) + len(outside) + 1
        matrices = [ConfusionMatrix.from_codes(true, codes, labels, outside) for codes in (first, second)]
        cells = (true.astype(np.int64) * columns + first) * columns + second
        counts = np.bincount(cells, minlength=len(labels) * columns**2).reshape(len(labels), columns, columns)
        return cls(matrices[0].labels, matrices[0].outside, counts)

    @property
    def first(self) -> ConfusionMatrix:
        """The first revision's matrix."""
        return ConfusionMatrix(self.labels, self.outside, self.counts.sum(axis=2))

    @property
    def second(self) -> ConfusionMatrix:
        """The second revision's matrix."""
        return ConfusionMatrix(self.labels, self.outside, self.counts.sum(axis=1))

    @property
    def different(self) -> int:
        """Rows on which the predictions differ."""
        same = np.einsum("ijj->", self.counts)
        return int(self.counts.sum() - same)

    def right_alone(self, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int]:
        """On how many rows the first alone is right, and on how many the second alone.

        Args:
            first: which of its predictions are right, by true label; shape (labels, columns).
            second: the same of the second.
        """
        in_first, in_second = first[:, :, np.newaxis], second[:, np.newaxis, :]
        return int(self.counts[in_first & ~in_second].sum()), int(self.counts[~in_first & in_second].sum())


@dataclass(frozen=True)
class Difference:
    """How much the second revision's metric is above the first's.

    Attributes:
        value: None where the metric is undefined for one of them.
        interval: of the difference, by resampling rows; None where most resamplings leave it undefined.
    """

    value: float | None
    interval: Interval | None

    @property
    def is_significant(self) -> bool:
        """Whether 95 % confidence leaves no doubt about the sign."""
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


def mcnemar(only_first: int, only_second: int) -> float:
    """The probability that two equally good revisions differ as much: McNemar's test, two-sided.

    Exact (binomial) for up to 2,000 rows on which one alone is right, else by the chi-squared distribution without a
    correction.
    """
    total = only_first + only_second
    if total == 0:
        return 1.0
    if total <= EXACT_UP_TO:
        tail = sum(math.comb(total, count) for count in range(min(only_first, only_second) + 1))
        return min(1.0, 2 * tail / (1 << total))
    return math.erfc(math.sqrt((only_first - only_second) ** 2 / total / 2))


def differences(paired: Paired, metrics: Mapping[str, Metric]) -> Mapping[str, Difference]:
    """The differences of metrics, second minus first, each with its interval from resampled pairs."""
    drawn = _draw(paired) if paired.different else None
    found = {}
    for name, metric in metrics.items():
        values = [known(metric(matrix.counts)) for matrix in (paired.first, paired.second)]
        if values[0] is None or values[1] is None:
            found[name] = Difference(None, None)
        elif drawn is None:
            found[name] = Difference(0.0, Interval(0.0, 0.0))
        else:
            found[name] = Difference(values[1] - values[0], percentiles([metric(drawn[1]) - metric(drawn[0])]))
    return found


def _draw(paired: Paired) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Resampled matrices of the first and of the second, draw by draw on the same rows.

    Cells that hold nothing are never drawn, so only the others are.
    """
    cells = np.flatnonzero(paired.counts)
    weights = paired.counts.ravel()[cells]
    total = int(weights.sum())
    drawn = generator_for(paired.counts).multinomial(total, weights / total, size=DRAWS)
    rows, columns, _ = paired.counts.shape
    true, first, second = np.unravel_index(cells, paired.counts.shape)
    return tuple(_summed(drawn, true * columns + said, (rows, columns)) for said in (first, second))  # type: ignore[return-value]


def _summed(drawn: NDArray[np.int64], places: NDArray[np.intp], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Matrices of this shape; column k of `drawn` is added to the cell `places[k]`."""
    into = np.zeros((len(places), shape[0] * shape[1]), dtype=np.int64)
    into[np.arange(len(places)), places] = 1
    return (drawn @ into).reshape(len(drawn), *shape)


def counts_are_withheld(paired: Paired, *, least: int = LEAST_DIFFERENT) -> bool:
    """Whether the two differ on so few rows that counts would tell about single ones."""
    return paired.different < least
