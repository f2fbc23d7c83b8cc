"""Ascending partitions of ordinal labels: each cut makes a binary problem, whose positive side is the upper one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.deferred import np
from mop.evaluation.metrics.matrix import ConfusionMatrix, f1, known, recall

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGATIVE, POSITIVE = "0", "1"


@dataclass(frozen=True)
class Partition:
    """A cut between two levels.

    Attributes:
        lower: the levels below the cut.
        upper: the levels above it: predicted or true, they are positive.
        matrix: of the binary problem, with the labels `0` and `1`.
    """

    lower: tuple[str, ...]
    upper: tuple[str, ...]
    matrix: ConfusionMatrix

    @property
    def f1(self) -> float | None:
        """Of the positive side; None is undefined."""
        return known(f1(self.matrix.counts)[1])

    @property
    def recall(self) -> float | None:
        """Of the positive side; None is undefined."""
        return known(recall(self.matrix.counts)[1])

    def right_of_binary(self, matrix: ConfusionMatrix) -> NDArray[np.bool_]:
        """Which predictions of a binary dataset's matrix are on the row's side of the cut, by true label.

        Args:
            matrix: that the partition was made of; "no answer" is on neither side.
        """
        right = np.zeros(matrix.counts.shape, dtype=bool)
        first, cut = len(matrix.labels), len(matrix.labels) + len(self.lower)
        right[0, first:cut] = right[1, cut:-1] = True
        return right


def partitions(matrix: ConfusionMatrix, levels: tuple[str, ...]) -> tuple[Partition, ...]:
    """Every ascending partition, the lowest cut first.

    Args:
        matrix: of an ordinal task's predictions. Its rows are the levels (an ordinal dataset) or `0` and `1` (a binary
            one, in which case all levels stand outside); "no answer" is wrong on either side.
        levels: of the task, ascending.

    Raises:
        ValueError: the matrix is about other labels.
    """
    if matrix.labels == levels and not matrix.outside:
        true = np.arange(len(levels))
        columns = matrix.counts
    elif matrix.labels == (NEGATIVE, POSITIVE) and matrix.outside == levels:
        true = None
        columns = matrix.counts[:, len(matrix.labels) :]
    else:
        raise ValueError("the matrix is not about these levels")
    found = []
    for cut in range(1, len(levels)):
        rows = (
            columns if true is None else np.stack([columns[true < cut].sum(axis=0), columns[true >= cut].sum(axis=0)])
        )
        counts = np.stack([rows[:, :cut].sum(axis=1), rows[:, cut:-1].sum(axis=1), rows[:, -1]], axis=1)
        found.append(Partition(levels[:cut], levels[cut:], ConfusionMatrix((NEGATIVE, POSITIVE), (), counts)))
    return tuple(found)


def representing(found: tuple[Partition, ...]) -> Partition:
    """The partition that stands for all: the highest F1, then the highest recall, then the lowest cut."""
    return max(found, key=lambda one: (_or_least(one.f1), _or_least(one.recall), -len(one.lower)))


def _or_least(value: float | None) -> float:
    return -1.0 if value is None else value
