"""From predictions to the counts of a result: parts of the rows add up, so memory does not grow with the dataset."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mop.deferred import np
from mop.evaluation.label_map import LabelMap
from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.curves import GRID, Calibration, ScoreHistograms, places
from mop.evaluation.metrics.intervals import Interval, intervals
from mop.evaluation.metrics.matrix import OF_THE_WHOLE, ORDINAL, Metric
from mop.evaluation.metrics.partitions import partitions, representing
from mop.evaluation.metrics.slices import SliceName, withheld
from mop.evaluation.predictions import Predictions, SliceColumns
from mop.evaluation.results import EvaluationDocument, LabelScoreCounts, SliceCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACES_MAX = 20


class Counting:
    """Takes predictions part by part.

    Args:
        mapped: what they are counted by.
        slices: the slice columns.
    """

    def __init__(self, mapped: LabelMap, slices: SliceColumns) -> None:
        self._map = mapped
        self._slices = slices
        self._shape = (len(mapped.labels), mapped.no_answer + 1)
        self._scored = _scored(mapped)
        self.rows = 0
        self.errors: Counter[str] = Counter()
        self.failed_rows: dict[str, list[int]] = {}
        self._matrix = np.zeros(self._shape, dtype=np.int64)
        self._histograms = np.zeros((len(self._scored), 2, GRID), dtype=np.int64)
        self._calibrations = [_no_calibration() for _ in self._scored]
        self._confidence = _no_calibration()
        self._combinations: Counter[tuple[int, ...]] = Counter()
        sizes = [len(values) for values in slices.values.values()]
        self._slice_matrices = [np.zeros((size, *self._shape), dtype=np.int64) for size in sizes]
        self._slice_histograms = [np.zeros((size, len(self._scored), 2, GRID), dtype=np.int64) for size in sizes]

    def add(self, found: Predictions) -> None:
        """Count rows.

        Raises:
            ValueError: a place that names nothing.
        """
        true, predicted = found.true.astype(np.int64), found.predicted.astype(np.int64)
        self._matrix += ConfusionMatrix.from_codes(true, predicted, self._map.labels, self._map.outside).counts
        self.rows += len(found)
        for number, name in enumerate(found.errors, found.first_row):
            if name:
                self.errors[name] += 1
                if len(places_of := self.failed_rows.setdefault(name, [])) < PLACES_MAX:
                    places_of.append(number)
        self._combinations.update(map(tuple, found.slices.tolist()))
        cells = true * self._shape[1] + predicted
        answered = predicted != self._map.no_answer
        codes = [found.slices[:, place].astype(np.int64) for place in range(found.slices.shape[1])]
        for place, values in enumerate(codes):
            self._slice_matrices[place] += _by_value(values, cells, self._slice_matrices[place].shape)
        for number, (score, has_label) in enumerate(self._each_score(true)):
            scores, has = found.scores[answered, score], has_label[answered]
            at = places(scores) + GRID * has
            self._histograms[number] += np.bincount(at, minlength=2 * GRID).reshape(2, GRID)
            self._calibrations[number] += Calibration.of(scores, has)
            for place, values in enumerate(codes):
                one = self._slice_histograms[place][:, number]
                one += _by_value(values[answered], at, one.shape)
        self._add_confidence(found, true, predicted, answered)

    def _each_score(self, true: NDArray[np.int64]) -> list[tuple[int, NDArray[np.bool_]]]:
        """The scores' column and which rows have the label, of everything that is scored."""
        if self._map.levels:
            is_binary = self._map.labels != self._map.levels
            return [(level, true == 1 if is_binary else true >= level) for _, level in self._scored]
        return [(score, true == self._map.places[score]) for _, score in self._scored]

    def _add_confidence(
        self,
        found: Predictions,
        true: NDArray[np.int64],
        predicted: NDArray[np.int64],
        answered: NDArray[np.bool_],
    ) -> None:
        if self._map.levels or not answered.any():
            return
        columns = np.argsort(self._map.places)  # of each column of the matrix, the scores' column
        said = predicted[answered]
        scores = found.scores[answered, columns[said]]
        self._confidence += Calibration.of(scores, said == true[answered])

    def document(self, *, least_rows: int) -> EvaluationDocument:
        """The result of what was counted; slices of fewer rows are left out, with what would let them be computed."""
        hidden = self._withheld(least_rows)
        matrix = self._as_matrix(self._matrix)
        scores = {
            label: LabelScoreCounts(self._as_histograms(self._histograms[number]), self._calibrations[number])
            for number, (label, _) in enumerate(self._scored)
        }
        shown = tuple(
            SliceCounts(
                name,
                self._as_matrix(self._slice_matrices[column][value]),
                {
                    label: self._as_histograms(self._slice_histograms[column][value, number])
                    for number, (label, _) in enumerate(self._scored)
                },
            )
            for column, value, name in self._names()
            if name not in hidden and self._slice_matrices[column][value].any()
        )
        return EvaluationDocument(
            matrix=matrix,
            levels=self._map.levels,
            scores=scores,
            confidence=None if self._map.levels else self._confidence,
            slices=shown,
            withheld=tuple(sorted(hidden)),
            intervals=_intervals(matrix, self._map.levels),
            least_rows=least_rows,
        )

    def _names(self) -> list[tuple[int, int, SliceName]]:
        return [
            (column, value, SliceName(name, text))
            for column, (name, values) in enumerate(self._slices.values.items())
            for value, text in enumerate(values)
        ]

    def _withheld(self, least_rows: int) -> frozenset[SliceName]:
        names = {(column, value): name for column, value, name in self._names()}
        combinations = [[names[place] for place in enumerate(one)] for one in self._combinations]
        return withheld(combinations, list(self._combinations.values()), least=least_rows)

    def _as_matrix(self, counts: NDArray[np.int64]) -> ConfusionMatrix:
        return ConfusionMatrix(self._map.labels, self._map.outside, counts)

    def _as_histograms(self, counts: NDArray[np.int64]) -> ScoreHistograms:
        return ScoreHistograms(positive=counts[1], negative=counts[0])


def _scored(mapped: LabelMap) -> tuple[tuple[str, int], ...]:
    """What has curves, and the column of its scores: each label of the dataset, or each level but the lowest."""
    if mapped.levels:
        return tuple((level, place) for place, level in enumerate(mapped.levels) if place)
    return tuple((label, mapped.task_labels.index(label)) for label in mapped.labels)


def _by_value(values: NDArray[np.int64], cells: NDArray[np.integer], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Count cells by the value of a slice column."""
    size = int(np.prod(shape[1:]))
    if len(values) and values.max() >= shape[0]:
        raise ValueError("a slice has no name")
    return np.bincount(values * size + cells, minlength=shape[0] * size).reshape(shape)


def _no_calibration() -> Calibration:
    return Calibration(np.zeros(GRID, dtype=np.int64), np.zeros(GRID), np.zeros(GRID, dtype=np.int64))


def _intervals(matrix: ConfusionMatrix, levels: tuple[str, ...]) -> dict[str, Interval | None]:
    if not levels:
        return dict(intervals(matrix, OF_THE_WHOLE))
    decided = dict(intervals(representing(partitions(matrix, levels)).matrix, OF_THE_WHOLE))
    ordinal: dict[str, Metric] = {} if matrix.outside else dict(ORDINAL)
    return decided | dict(intervals(matrix, ordinal))
