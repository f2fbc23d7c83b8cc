"""Intervals: Wilson's as statsmodels has it, coverage by simulation, and never without doubt."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.intervals import (
    Interval,
    f1_interval,
    intervals,
    label_intervals,
    resampled,
    share_interval,
    wilson,
)
from mop.evaluation.metrics.matrix import OF_THE_WHOLE, ORDINAL, f1

METRICS = {name: OF_THE_WHOLE[name] for name in ("micro_f1", "macro_f1", "weighted_f1", "matthews_correlation")}


@pytest.mark.parametrize("total", [1, 7, 50, 1000, 10_000_000])
def test_wilsons_interval_is_scipys(total: int):
    for hits in {0, 1, total // 3, total // 2, total - 1, total}:
        theirs = stats.binomtest(hits, total).proportion_ci(method="wilson")
        ours = wilson(hits, total)
        assert ours is not None
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("total", [200, 1000, 10_000])
def test_shares_are_covered_also_near_0_and_1(total: int):
    """Exact: summed over every number of hits that can come up."""
    ends = [share_interval(hits, total) for hits in range(total + 1)]
    low, high = (np.array([getattr(end, side) for end in ends]) for side in ("low", "high"))
    hits = np.arange(total + 1)
    covered = np.array(
        [
            stats.binom.pmf(hits, total, share)[(low <= share) & (share <= high)].sum()
            for share in [*np.geomspace(0.2 / total, 0.05, 120), *np.linspace(0.05, 0.95, 60)]
        ]
    )
    assert covered.min() > 0.929
    assert covered[120:].max() < 0.97
    assert 0.945 < covered[120:].mean() < 0.955


def cells(rows: list[list[float]]) -> np.ndarray:
    """The shares of a matrix's cells, without rows that have no answer."""
    return np.c_[np.array(rows), np.zeros(len(rows))] / np.sum(rows)


def coverage(shares: np.ndarray, rows: int, *, runs: int, seed: int) -> dict[str, float]:
    """How often the interval of each metric holds its true value, of `runs` datasets of so many rows."""
    labels = tuple(f"label {place}" for place in range(len(shares)))
    truth = {name: float(metric(np.round(shares * 10**12).astype(np.int64))) for name, metric in METRICS.items()}
    generator = np.random.default_rng(seed)
    held = dict.fromkeys(METRICS, 0)
    for _ in range(runs):
        drawn = generator.multinomial(rows, shares.ravel()).reshape(shares.shape)
        for name, interval in intervals(ConfusionMatrix(labels, (), drawn), METRICS).items():
            assert interval is not None
            held[name] += interval.low <= truth[name] <= interval.high
    return {name: count / runs for name, count in held.items()}


ORDINARY = {
    "balanced": [[0.4, 0.1], [0.1, 0.4]],
    "one in ten": [[0.85, 0.05], [0.03, 0.07]],
    "four labels": [
        [0.6, 0.03, 0.02, 0.01],
        [0.05, 0.1, 0.02, 0.01],
        [0.02, 0.01, 0.07, 0.01],
        [0.01, 0.01, 0.01, 0.05],
    ],
}
EXTREME = {
    "almost perfect": [[0.495, 0.005], [0.005, 0.495]],
    "almost always wrong": [[0.01, 0.49], [0.49, 0.01]],
    "a rare label": [[0.955, 0.015], [0.015, 0.015]],
    "perfect": [[0.3, 0, 0], [0, 0.3, 0], [0, 0, 0.4]],
    "always wrong": [[0, 0.2, 0.1], [0.1, 0, 0.2], [0.2, 0.2, 0]],
}
RUNS = 120
# chance alone moves the share by this much; four standard deviations are allowed besides
CHANCE = 4 * math.sqrt(0.95 * 0.05 / RUNS)


@pytest.mark.parametrize("case", ORDINARY)
def test_averages_are_covered_as_promised(case: str):
    for name, share in coverage(cells(ORDINARY[case]), 300, runs=RUNS, seed=1).items():
        assert 0.93 - CHANCE <= share <= 0.97 + CHANCE, (name, share)


@pytest.mark.parametrize("case", EXTREME)
def test_averages_near_their_ends_are_covered_at_least_as_promised(case: str):
    for name, share in coverage(cells(EXTREME[case]), 200, runs=RUNS, seed=2).items():
        assert share >= 0.93 - CHANCE, (name, share)


def test_f1_of_a_label_is_covered():
    shares = cells(ORDINARY["one in ten"])
    truth = f1(np.round(shares * 10**12).astype(np.int64))[1]
    drawn = np.random.default_rng(3).multinomial(300, shares.ravel(), size=4000).reshape(-1, 2, 3)
    held = 0
    for counts in drawn:
        interval = label_intervals(ConfusionMatrix(("0", "1"), (), counts))[1]["f1"]
        assert interval is not None
        held += interval.low <= truth <= interval.high
    assert 0.935 < held / len(drawn) < 0.97


@pytest.mark.parametrize("counts", [[[30, 0, 0], [0, 30, 0]], [[0, 30, 0], [30, 0, 0]], [[0, 0, 30], [0, 0, 30]]])
def test_nothing_is_certain(counts: list[list[int]]):
    matrix = ConfusionMatrix(("0", "1"), (), np.array(counts))
    found = intervals(matrix, {**OF_THE_WHOLE, **ORDINAL})
    values = {name: float(metric(matrix.counts)) for name, metric in {**OF_THE_WHOLE, **ORDINAL}.items()}
    for name, interval in found.items():
        if interval is None:
            assert math.isnan(values[name])
        else:
            assert interval.low <= values[name] <= interval.high
            assert interval.low < interval.high


def test_the_same_counts_have_the_same_interval():
    matrix = ConfusionMatrix(("0", "1"), (), np.array([[50, 9, 1], [7, 40, 0]]))
    assert resampled(matrix, METRICS) == resampled(matrix, METRICS)
    other = ConfusionMatrix(("0", "1"), (), np.array([[50, 9, 1], [7, 41, 0]]))
    assert resampled(matrix, METRICS) != resampled(other, METRICS)


def test_what_is_undefined_has_no_interval():
    assert (wilson(0, 0), share_interval(0, 0), f1_interval(0, 0)) == (None, None, None)
    empty = ConfusionMatrix.empty(("0", "1"))
    assert set(intervals(empty, OF_THE_WHOLE).values()) == {None}


def test_f1_grows_with_its_share():
    found = f1_interval(90, 10)
    share = share_interval(90, 100)
    assert share is not None
    assert found == Interval(2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))
