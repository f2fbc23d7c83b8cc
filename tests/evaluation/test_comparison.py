"""Comparisons of two revisions on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.comparison import Paired, counts_are_withheld, differences, mcnemar
from mop.evaluation.metrics.matrix import OF_THE_WHOLE

METRICS = {name: OF_THE_WHOLE[name] for name in ("accuracy", "macro_f1")}
LABELS = ("0", "1", "2")


def paired(seed: int, *, rows: int = 400, first: float = 0.8, second: float = 0.8) -> Paired:
    """Two revisions that are right on these shares of rows; rows have one truth."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, 3, rows)
    said = [np.where(generator.random(rows) < skill, true, generator.integers(0, 4, rows)) for skill in (first, second)]
    return Paired.from_codes(true, said[0], said[1], LABELS)


@pytest.mark.parametrize("seed", range(10))
def test_both_matrices_and_the_rows_on_which_they_differ(seed: int):
    generator = np.random.default_rng(seed)
    true, first, second = generator.integers(0, 3, 60), generator.integers(0, 4, 60), generator.integers(0, 4, 60)
    found = Paired.from_codes(true, first, second, LABELS)
    assert found.first == ConfusionMatrix.from_codes(true, first, LABELS)
    assert found.second == ConfusionMatrix.from_codes(true, second, LABELS)
    assert found.different == (first != second).sum()
    right = np.eye(3, 4, dtype=bool)
    alone = ((first == true) & (second != true)).sum(), ((second == true) & (first != true)).sum()
    assert found.right_alone(right, right) == alone


@pytest.mark.parametrize(("first", "second"), [(0, 1), (5, 5), (3, 17), (40, 11), (900, 1000), (0, 2000)])
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int):
    assert mcnemar(first, second) == pytest.approx(stats.binomtest(first, first + second).pvalue, abs=1e-12)


@pytest.mark.parametrize(("first", "second"), [(1500, 1501), (1400, 1601), (10_000, 10_300)])
def test_mcnemar_of_many_rows_is_the_chi_squared_test(first: int, second: int):
    expected = stats.chi2.sf((first - second) ** 2 / (first + second), 1)
    assert mcnemar(first, second) == pytest.approx(expected, abs=1e-12)


def test_the_same_predictions_differ_in_nothing():
    assert mcnemar(0, 0) == 1.0
    true = np.arange(60) % 3
    found = differences(Paired.from_codes(true, true, true, LABELS), METRICS)
    assert all(one.value == 0 and not one.is_significant for one in found.values())


def test_a_difference_is_second_minus_first_with_its_doubt():
    better = differences(paired(1, first=0.6, second=0.9), METRICS)
    assert all(one.value is not None and one.value > 0.1 and one.is_significant for one in better.values())
    worse = differences(paired(1, first=0.9, second=0.6), METRICS)
    assert all(one.value is not None and one.value < -0.1 and one.is_significant for one in worse.values())


def test_equally_good_revisions_are_seldom_told_apart():
    found = [differences(paired(seed, rows=200), METRICS)["macro_f1"].is_significant for seed in range(150)]
    assert sum(found) <= 150 * 0.05 + 4 * (150 * 0.05 * 0.95) ** 0.5


def test_what_is_undefined_for_one_of_them_has_no_difference():
    true = np.zeros(20, dtype=int)
    found = differences(Paired.from_codes(true, true + 3, true, LABELS), {"kappa": OF_THE_WHOLE["cohen_kappa"]})
    assert (found["kappa"].value, found["kappa"].interval) == (None, None)


def test_counts_of_revisions_that_hardly_differ_are_withheld():
    true = np.arange(60) % 3
    other = true.copy()
    other[:9] = (true[:9] + 1) % 3
    assert counts_are_withheld(Paired.from_codes(true, true, other, LABELS))
    other[9] = (true[9] + 1) % 3
    assert not counts_are_withheld(Paired.from_codes(true, true, other, LABELS))
