"""Evaluations' counts from generated rows, so that a test can compute everything from the rows again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mop.evaluation.metrics.curves import Calibration, ScoreHistograms
from mop.evaluation.metrics.intervals import intervals
from mop.evaluation.metrics.matrix import OF_THE_WHOLE, ORDINAL, ConfusionMatrix
from mop.evaluation.metrics.slices import LEAST_ROWS, SliceName, withheld
from mop.evaluation.reports.numbers import has_levels, main_matrix
from mop.evaluation.reports.shown import Shown, shown_of
from mop.evaluation.results import EvaluationDocument, LabelScoreCounts, SliceCounts


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a dataset with a revision's answers.

    Attributes:
        true, said: places among the labels of the dataset, and of all labels; the last place of `said` is no answer.
        scores: of each row and label of the task.
        groups: of each group column the value of each row.
    """

    labels: tuple[str, ...]
    outside: tuple[str, ...]
    levels: tuple[str, ...]
    true: NDArray[np.int64]
    said: NDArray[np.int64]
    scores: NDArray[np.float64]
    groups: Mapping[str, Sequence[str]]

    @property
    def task_labels(self) -> tuple[str, ...]:
        """Of the task, in its order."""
        return self.levels or (*self.labels, *self.outside)

    def names(self, row: int) -> frozenset[SliceName]:
        """The slices that a row is in."""
        return frozenset(SliceName(column, values[row]) for column, values in self.groups.items())

    def chosen(self, name: SliceName) -> NDArray[np.bool_]:
        """The rows of a slice."""
        return np.array([value == name.value for value in self.groups[name.column]])

    def is_positive(self, label: str) -> NDArray[np.bool_]:
        """The rows against which the scores of a label, or level, are measured."""
        if not self.levels:
            return self.true == self.task_labels.index(label)
        if self.labels != self.levels:
            return self.true == 1
        return self.true >= self.levels.index(label)

    def scored(self) -> tuple[str, ...]:
        """The labels, or levels, whose scores have figures."""
        return self.levels[1:] if self.levels else self.labels

    def matrix(self, rows: NDArray[np.bool_] | slice = slice(None)) -> ConfusionMatrix:
        """Of some rows."""
        return ConfusionMatrix.from_codes(self.true[rows], self.said[rows], self.labels, self.outside)

    def histograms(self, rows: NDArray[np.bool_] | slice = slice(None)) -> dict[str, ScoreHistograms]:
        """Of some rows; a row without an answer has no score and stands at 0."""
        return {
            label: ScoreHistograms.of(
                self.scores[:, self.task_labels.index(label)][rows], self.is_positive(label)[rows]
            )
            for label in self.scored()
        }

    def calibrations(self) -> dict[str, Calibration]:
        """Of each label's scores."""
        return {
            label: Calibration.of(self.scores[:, self.task_labels.index(label)], self.is_positive(label))
            for label in self.scored()
        }

    def document(self, least: int = LEAST_ROWS) -> EvaluationDocument:
        """What an evaluation keeps of them."""
        combinations = Counter(self.names(row) for row in range(len(self.true)))
        hidden = withheld(list(combinations), list(combinations.values()), least=least)
        histograms, calibrations, matrix = self.histograms(), self.calibrations(), self.matrix()
        around = dict(intervals(main_matrix(matrix, self.levels), OF_THE_WHOLE))
        if has_levels(matrix, self.levels):
            around |= intervals(matrix, ORDINAL)
        return EvaluationDocument(
            matrix=matrix,
            levels=self.levels,
            scores={label: LabelScoreCounts(histograms[label], calibrations[label]) for label in histograms},
            confidence=None if self.levels else Calibration.of(self.scores.max(axis=1), self.said == self.true),
            slices=tuple(
                SliceCounts(name, self.matrix(self.chosen(name)), self.histograms(self.chosen(name)))
                for name in sorted({name for names in combinations for name in names} - hidden)
            ),
            withheld=tuple(sorted(hidden)),
            intervals=around,
            least_rows=least,
        )

    def shown(self, least: int = LEAST_ROWS) -> Shown:
        """What is told of them."""
        return shown_of(self.document(least), least=least)


def categorical(
    seed: int, *, count: int = 600, labels: Sequence[str] = ("none", "threat", "graphic"), outside: Sequence[str] = (),
    skill: float = 0.75, groups: Mapping[str, Sequence[str]] | None = None,
) -> Rows:  # fmt: skip
    """Rows of a categorical task; a few have no answer.

    Args:
        seed: of everything.
        count: of rows.
        labels: of the dataset.
        outside: what else the task has.
        skill: how often the model is right.
        groups: group columns; left out, `language` and `source` with a few rare values.
    """
    generator = np.random.default_rng(seed)
    true = generator.integers(0, len(labels), count)
    other = generator.integers(0, len(labels) + len(outside), count)
    said = np.where(generator.random(count) < skill, true, other)
    scores = generator.dirichlet(np.ones(len(labels) + len(outside)), count)
    # the predicted label has the highest score
    top = scores.argmax(axis=1)
    rows = np.arange(count)
    scores[rows, top], scores[rows, said] = scores[rows, said], scores[rows, top]
    said = np.where(generator.random(count) < 0.01, len(labels) + len(outside), said)
    return Rows(
        tuple(labels), tuple(outside), (), true, said, scores, some_groups(seed, count) if groups is None else groups
    )


def ordinal(
    seed: int, *, count: int = 600, levels: Sequence[str] = ("0", "1", "2", "3"), is_binary: bool = False
) -> Rows:
    """Rows of an ordinal task, on a dataset of its levels or on a binary one."""
    generator = np.random.default_rng(seed)
    level = generator.integers(0, len(levels), count)
    said = np.clip(level + generator.choice([-1, 0, 0, 0, 1, 2], count), 0, len(levels) - 1)
    scores = np.sort(generator.random((count, len(levels))), axis=1)[:, ::-1].copy()
    scores[:, 0] = 1.0
    if is_binary:  # the dataset's 0 and 1 are no levels, so levels beside them have longer names
        levels = tuple(f"level {level}" for level in levels)
    labels = ("0", "1") if is_binary else tuple(levels)
    outside = tuple(levels) if is_binary else ()
    true = (level >= 2).astype(np.int64) if is_binary else level
    said = said + (len(labels) if is_binary else 0)
    said = np.where(generator.random(count) < 0.01, len(labels) + len(outside), said)
    return Rows(labels, outside, tuple(levels), true, said, scores, some_groups(seed, count))


def some_groups(seed: int, count: int) -> dict[str, list[str]]:
    """Two group columns, of which the second has a value of few rows."""
    generator = np.random.default_rng(seed + 1)
    language = generator.choice(["de", "en", "fr"], count, p=[0.3, 0.6, 0.1])
    source = generator.choice(["chat", "forum", "news"], count, p=[0.1, 0.7, 0.2])
    source[: min(6, count)] = "voice"
    return {"language": [str(one) for one in language], "source": [str(one) for one in source]}
