"""The confusion matrix, and what is a function of it alone.

Every function here takes counts of shape (..., rows, columns), so that a thousand resampled matrices are computed at
once by the code that computes the one that was measured. Rows are the labels of the dataset. Columns are the same
labels in the same order, then labels that only the model knows, then "no answer". Whatever is off the diagonal counts
as wrong. NaN stands for undefined inside arrays, None outside.

Where scikit-learn defines a value (`precision_recall_fscore_support` with `labels` and `zero_division=nan`,
`cohen_kappa_score`, `matthews_corrcoef`) ours is the same; where it reports a convention, ours is undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mop.deferred import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Values = NDArray[np.float64]
    Metric = Callable[[Counts], Values]
else:
    Counts = Values = Metric = Any


NO_ANSWER = "no answer"
_CHUNK = 1 << 16  # codes that are counted at once: they and their sums stay in the processor's cache


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """How often each label of a dataset was predicted as what.

    Attributes:
        labels: of the dataset, in the order of the task; ascending where they are ordinal.
        outside: labels that the model can predict and the dataset has not.
        counts: of rows by true label and by prediction; shape (labels, labels + outside + 1), the last is "no answer".
    """

    labels: tuple[str, ...]
    outside: tuple[str, ...]
    counts: Counts

    def __post_init__(self) -> None:
        """Raises: ValueError: a label stands twice, or the counts have another shape or are negative."""
        names = self.labels + self.outside
        if len(set(names)) != len(names):
            raise ValueError("a label stands twice")
        if self.counts.shape != (len(self.labels), len(names) + 1):
            raise ValueError(f"the counts have the shape {self.counts.shape}")
        if (self.counts < 0).any():
            raise ValueError("a count is negative")

    @classmethod
    def empty(cls, labels: Sequence[str], outside: Sequence[str] = ()) -> ConfusionMatrix:
        """A matrix without a row."""
        shape = (len(labels), len(labels) + len(outside) + 1)
        return cls(tuple(labels), tuple(outside), np.zeros(shape, dtype=np.int64))

    @classmethod
    def from_codes(
        cls,
        true: NDArray[np.integer],
        predicted: NDArray[np.integer],
        labels: Sequence[str],
        outside: Sequence[str] = (),
    ) -> ConfusionMatrix:
        """Count rows.

        Args:
            true: of each row the place of its label among `labels`.
            predicted: of each row the place of the prediction among `labels` and `outside` together; one place further
                stands for "no answer".
            labels: of the dataset.
            outside: what else may be predicted.

        Raises:
            ValueError: another number of predictions than of rows, or a code that names nothing.
        """
        if true.shape != predicted.shape or true.ndim != 1:
            raise ValueError(f"{true.shape} true labels and {predicted.shape} predictions")
        rows, columns = len(labels), len(labels) + len(outside) + 1
        if len(true) and not (true.min() >= 0 and true.max() < rows):
            raise ValueError("a true label is none of the dataset's")
        if len(true) and not (predicted.min() >= 0 and predicted.max() < columns):
            raise ValueError("a prediction is no label")
        counts = np.zeros(rows * columns, dtype=np.int64)
        cells = np.empty(min(len(true), _CHUNK), dtype=np.intp)
        for begin in range(0, len(true), _CHUNK):
            part = cells[: len(true) - begin]
            np.multiply(true[begin : begin + _CHUNK], columns, out=part, dtype=np.intp, casting="unsafe")
            np.add(part, predicted[begin : begin + _CHUNK], out=part, casting="unsafe")
            counts += np.bincount(part, minlength=rows * columns)
        return cls(tuple(labels), tuple(outside), counts.reshape(rows, columns))

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """The rows of both.

        Raises:
            ValueError: they are about different labels.
        """
        if (self.labels, self.outside) != (other.labels, other.outside):
            raise ValueError("matrices of different labels have no sum")
        return ConfusionMatrix(self.labels, self.outside, self.counts + other.counts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        same = (self.labels, self.outside) == (other.labels, other.outside)
        return same and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment] # its counts may be large

    @property
    def total(self) -> int:
        """How many rows."""
        return int(self.counts.sum())

    @property
    def no_answer(self) -> int:
        """How many rows the model gave no answer for."""
        return int(self.counts[:, -1].sum())

    @property
    def columns(self) -> tuple[str, ...]:
        """What the columns stand for, "no answer" last."""
        return (*self.labels, *self.outside, NO_ANSWER)

    def of_present_labels(self) -> ConfusionMatrix:
        """The same rows without the labels that none of them has: predictions of those stand outside."""
        has_rows = self.counts.sum(axis=1) > 0
        present, absent = (np.flatnonzero(has_rows == wanted) for wanted in (True, False))
        others = np.arange(len(self.labels), self.counts.shape[1])
        counts = self.counts[np.ix_(present, np.concatenate([present, absent, others]))]
        labels, outside = (tuple(self.labels[place] for place in places) for places in (present, absent))
        return ConfusionMatrix(labels, outside + self.outside, counts)

    def merged(self, merges: Mapping[str, str]) -> ConfusionMatrix:
        """The matrix of the same rows with labels put together.

        Args:
            merges: from a label to what it is called from now on; labels that are not named keep their names. A label
                of the dataset and one outside it may be merged: the result belongs to the dataset.

        Raises:
            ValueError: a label that is merged is none of the matrix, or a merged one is called as an unmerged one.
        """
        names = self.labels + self.outside
        if unknown := sorted(set(merges) - set(names)):
            raise ValueError(f"no labels of the matrix: {', '.join(unknown)}")
        if taken := sorted(set(merges.values()) & (set(names) - set(merges))):
            raise ValueError(f"labels with these names stand already: {', '.join(taken)}")
        labels = tuple(dict.fromkeys(merges.get(name, name) for name in self.labels))
        outside = tuple(dict.fromkeys(merges.get(name, name) for name in self.outside))
        outside = tuple(name for name in outside if name not in labels)
        places = {name: place for place, name in enumerate(labels + outside)}
        counts = np.zeros((len(labels), len(places) + 1), dtype=np.int64)
        columns = [*(places[merges.get(name, name)] for name in names), len(places)]
        for row, name in enumerate(self.labels):
            np.add.at(counts[places[merges.get(name, name)]], columns, self.counts[row])
        return ConfusionMatrix(labels, outside, counts)


# Tallies -------------------------------------------------------------------------------------------------------------


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Values:
    """Part by whole; NaN where the whole is 0."""
    found: Values = np.full(np.broadcast_shapes(np.shape(part), np.shape(whole)), np.nan)
    np.divide(part, whole, out=found, where=np.asarray(whole) != 0)
    return found


def correct(counts: Counts) -> Counts:
    """Rows of each label that were predicted as it; shape (..., labels)."""
    return np.diagonal(counts, axis1=-2, axis2=-1)


def support(counts: Counts) -> Counts:
    """Rows of each label; shape (..., labels)."""
    found: Counts = counts.sum(axis=-1)
    return found


def predicted(counts: Counts) -> Counts:
    """Rows that were predicted as each label of the dataset; shape (..., labels)."""
    found: Counts = counts.sum(axis=-2)[..., : counts.shape[-2]]
    return found


# By label ------------------------------------------------------------------------------------------------------------


def precision(counts: Counts) -> Values:
    """Of the rows that were predicted as a label, the share that have it; undefined where none was."""
    return _ratio(correct(counts), predicted(counts))


def recall(counts: Counts) -> Values:
    """Of the rows that have a label, the share that were predicted as it; undefined where none has it."""
    return _ratio(correct(counts), support(counts))


def f1(counts: Counts) -> Values:
    """2 TP / (2 TP + FP + FN) of each label; undefined where no row has the label and none was predicted as it."""
    return _ratio(2 * correct(counts), support(counts) + predicted(counts))


BY_LABEL: Mapping[str, Metric] = {"precision": precision, "recall": recall, "f1": f1}


# Of the whole --------------------------------------------------------------------------------------------------------


def accuracy(counts: Counts) -> Values:
    """The share of rows whose label was predicted; undefined without a row."""
    return _ratio(correct(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


def micro(metric: str) -> Metric:
    """The metric of all labels' rows put together."""

    def averaged(counts: Counts) -> Values:
        hits = correct(counts).sum(axis=-1)
        real, said = support(counts).sum(axis=-1), predicted(counts).sum(axis=-1)
        if metric == "precision":
            return _ratio(hits, said)
        if metric == "recall":
            return _ratio(hits, real)
        return _ratio(2 * hits, real + said)

    return averaged


def macro(metric: str) -> Metric:
    """The mean over the labels for which the metric is defined."""

    def averaged(counts: Counts) -> Values:
        values = BY_LABEL[metric](counts)
        return _ratio(np.nansum(values, axis=-1), (~np.isnan(values)).sum(axis=-1))

    return averaged


def weighted(metric: str) -> Metric:
    """The mean over the labels for which the metric is defined, by their numbers of rows."""

    def averaged(counts: Counts) -> Values:
        values, weights = BY_LABEL[metric](counts), support(counts)
        defined = ~np.isnan(values)
        return _ratio(np.nansum(values * weights, axis=-1), np.where(defined, weights, 0).sum(axis=-1))

    return averaged


def cohen_kappa(counts: Counts) -> Values:
    """Agreement beyond chance; undefined where chance alone agrees always."""
    return _kappa(counts.astype(np.float64), _disagreements(counts.shape, lambda distance: distance != 0))


def matthews_correlation(counts: Counts) -> Values:
    """The correlation of labels and predictions (Matthews, for several labels Gorodkin's R_K).

    Undefined where all rows have one label, or all predictions are one.
    """
    counts = counts.astype(np.float64)
    total, hits = counts.sum(axis=(-2, -1)), correct(counts).sum(axis=-1)
    real, said = counts.sum(axis=-1), counts.sum(axis=-2)
    both = (real * said[..., : counts.shape[-2]]).sum(axis=-1)
    spread = (total**2 - (real**2).sum(axis=-1)) * (total**2 - (said**2).sum(axis=-1))
    return _ratio(hits * total - both, np.sqrt(spread))


AVERAGES: Mapping[str, Callable[[str], Metric]] = {"micro": micro, "macro": macro, "weighted": weighted}
OF_THE_WHOLE: Mapping[str, Metric] = {
    "accuracy": accuracy,
    "cohen_kappa": cohen_kappa,
    "matthews_correlation": matthews_correlation,
    **{f"{average}_{metric}": make(metric) for average, make in AVERAGES.items() for metric in BY_LABEL},
}
"""What is one number for a matrix, by its name."""


# Ordinal labels ------------------------------------------------------------------------------------------------------


def quadratic_weighted_kappa(counts: Counts) -> Values:
    """Agreement beyond chance of ascending labels, a disagreement weighed by the square of its distance.

    A row without an answer counts as predicted at the level that is farthest from its own.
    """
    levels = answered(counts).astype(np.float64)
    return _kappa(levels, _disagreements(levels.shape, lambda distance: distance**2))


def mean_absolute_error(counts: Counts) -> Values:
    """The mean distance, in levels, of label and prediction; a row without an answer is as far off as it can be."""
    levels = answered(counts)
    far = _disagreements(levels.shape, np.abs)
    return _ratio((levels * far).sum(axis=(-2, -1)), levels.sum(axis=(-2, -1)))


ORDINAL: Mapping[str, Metric] = {
    "quadratic_weighted_kappa": quadratic_weighted_kappa,
    "mean_absolute_error": mean_absolute_error,
}


def answered(counts: Counts) -> Counts:
    """The square matrix of ascending levels in which rows without an answer stand at the level farthest from theirs.

    Of two that are as far, the upper.

    Raises:
        ValueError: there are predictions outside the levels.
    """
    rows = counts.shape[-2]
    if counts.shape[-1] != rows + 1:
        raise ValueError("ordinal predictions are levels of the dataset")
    levels = counts[..., :-1].copy()
    places = np.arange(rows)
    farthest = np.where(places > rows - 1 - places, 0, rows - 1)
    levels[..., places, farthest] += counts[..., -1]
    return levels


def _disagreements(shape: tuple[int, ...], weigh: Callable[[NDArray[np.int64]], NDArray[Any]]) -> Values:
    rows, columns = shape[-2:]
    return weigh(np.arange(rows)[:, None] - np.arange(columns)).astype(np.float64)


def _kappa(counts: Values, weights: Values) -> Values:
    total = counts.sum(axis=(-2, -1))
    chance = counts.sum(axis=-1)[..., :, None] * counts.sum(axis=-2)[..., None, :]
    seen, expected = (counts * weights).sum(axis=(-2, -1)) * total, (chance * weights).sum(axis=(-2, -1))
    return 1 - _ratio(seen, expected)


# Report --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelScores:
    """One label's line of the report; None is undefined."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class Average:
    """An average over labels.

    Attributes:
        value: None is undefined.
        labels: over how many labels it is: those for which the metric is defined.
    """

    value: float | None
    labels: int


@dataclass(frozen=True)
class Report:
    """The classification report of a matrix.

    Attributes:
        total: rows.
        no_answer: rows without an answer; they count as wrong.
        labels: by label of the dataset.
        averages: by average (`micro`, `macro`, `weighted`), then by metric (`precision`, `recall`, `f1`).
        metrics: what is one number; see `OF_THE_WHOLE`.
    """

    total: int
    no_answer: int
    labels: tuple[LabelScores, ...]
    averages: Mapping[str, Mapping[str, Average]]
    metrics: Mapping[str, float | None]


def known(value: float | np.floating[Any] | Values) -> float | None:
    """A value for people: None where it is undefined."""
    return None if np.isnan(value) else float(value)


def report(matrix: ConfusionMatrix) -> Report:
    """The classification report."""
    counts = matrix.counts
    by_label = {name: metric(counts) for name, metric in BY_LABEL.items()}
    defined = {name: int((~np.isnan(values)).sum()) for name, values in by_label.items()}
    return Report(
        total=matrix.total,
        no_answer=matrix.no_answer,
        labels=tuple(
            LabelScores(
                label=label,
                precision=known(by_label["precision"][place]),
                recall=known(by_label["recall"][place]),
                f1=known(by_label["f1"][place]),
                support=int(counts[place].sum()),
            )
            for place, label in enumerate(matrix.labels)
        ),
        averages={
            average: {
                name: Average(known(make(name)(counts)), len(matrix.labels) if average == "micro" else defined[name])
                for name in BY_LABEL
            }
            for average, make in AVERAGES.items()
        },
        metrics={name: known(metric(counts)) for name, metric in OF_THE_WHOLE.items()},
    )
