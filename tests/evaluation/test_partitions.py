"""Ascending partitions equal what their rows give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.partitions import partitions, representing

LEVELS = ("0", "2", "4", "6")


def answers(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True levels and predicted ones; 4 is "no answer"."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, 4, 80)
    return true, np.where(generator.random(80) < 0.7, true, generator.integers(0, 5, 80))


@pytest.mark.parametrize("seed", range(20))
def test_of_an_ordinal_dataset(seed: int):
    true, predicted = answers(seed)
    found = partitions(ConfusionMatrix.from_codes(true, predicted, LEVELS), LEVELS)
    assert [one.lower for one in found] == [LEVELS[:1], LEVELS[:2], LEVELS[:3]]
    for cut, one in enumerate(found, 1):
        _check(one.matrix, true >= cut, predicted, cut, one.f1)


@pytest.mark.parametrize("seed", range(20))
def test_of_a_binary_dataset(seed: int):
    true, predicted = answers(seed)
    true = true >= 2
    # the predictions stand behind the labels 0 and 1 of the dataset
    matrix = ConfusionMatrix.from_codes(true.astype(int), predicted + 2, ("n", "p"), LEVELS)
    matrix = ConfusionMatrix(("0", "1"), (), matrix.counts[:, [0, 1, -1]])
    with pytest.raises(ValueError, match="levels"):
        partitions(matrix, LEVELS)
    levels = tuple(f"level {name}" for name in LEVELS)
    found = partitions(ConfusionMatrix.from_codes(true.astype(int), predicted + 2, ("0", "1"), levels), levels)
    for cut, one in enumerate(found, 1):
        _check(one.matrix, true, predicted, cut, one.f1)


def _check(matrix: ConfusionMatrix, is_positive: np.ndarray, predicted: np.ndarray, cut: int, f1: float | None) -> None:
    said = np.where(predicted == 4, 2, predicted >= cut)
    expected = [[((is_positive == row) & (said == column)).sum() for column in range(3)] for row in range(2)]
    assert matrix.counts.tolist() == expected
    positive = (predicted >= cut) & (predicted < 4)
    assert f1 == pytest.approx(f1_score(is_positive, positive, zero_division=np.nan), abs=1e-12)


def test_the_highest_f1_represents_then_the_highest_recall_then_the_lowest_cut():
    levels = ("low", "middle", "high")
    clear = ConfusionMatrix(levels, (), np.array([[10, 0, 0, 0], [0, 5, 5, 0], [0, 5, 5, 0]]))
    assert representing(partitions(clear, levels)).lower == ("low",)
    even = ConfusionMatrix(levels, (), np.array([[10, 0, 0, 0], [0, 10, 0, 0], [0, 0, 10, 0]]))
    assert representing(partitions(even, levels)).lower == ("low",)
    # cut 1: TP 3, FP 3, FN 0 (recall 1); cut 2: TP 2, FP 1, FN 1 (recall 2/3): both have F1 2/3
    tied = ConfusionMatrix(levels, (), np.array([[2, 2, 1, 0], [0, 0, 0, 0], [0, 1, 2, 0]]))
    found = partitions(tied, levels)
    assert found[0].f1 == found[1].f1
    assert representing(found).lower == ("low",)


def test_a_partition_without_a_positive_row_represents_only_where_nothing_else_is_defined():
    levels = ("low", "middle", "high")
    nothing = ConfusionMatrix(levels, (), np.array([[4, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    assert [one.f1 for one in partitions(nothing, levels)] == [None, None]
    some = ConfusionMatrix(levels, (), np.array([[4, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    assert representing(partitions(some, levels)).f1 == 0.0
