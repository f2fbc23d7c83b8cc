"""Curves, calibration and subgroups stand on a grid; on rounded scores they are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from mop.evaluation.metrics.curves import (
    GRID,
    Calibration,
    ScoreHistograms,
    auc,
    curves,
    places,
    subgroup_auc,
    threshold_grid,
)

THRESHOLDS = threshold_grid()


def scored(seed: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Scores, some exactly on a threshold, and whether each row has the label."""
    generator = np.random.default_rng(seed)
    has_label = generator.random(rows) < 0.3
    scores = np.clip(generator.normal(0.4 + 0.2 * has_label, 0.25), 0, 1)
    return np.where(generator.random(rows) < 0.3, np.round(scores, 2), scores), has_label


def test_a_score_counts_with_the_last_threshold_that_it_reaches():
    around = np.concatenate([THRESHOLDS, np.nextafter(THRESHOLDS, 0), np.nextafter(THRESHOLDS, 1)])
    around = around[(around >= 0) & (around <= 1)]
    scores = np.concatenate([around, np.random.default_rng(1).random(20_000)])
    assert places(scores).tolist() == (np.searchsorted(THRESHOLDS, scores, side="right") - 1).tolist()


@pytest.mark.parametrize("scores", [[0.5, 1.1], [-0.1], [float("nan")]])
def test_what_is_no_score_is_refused(scores: list[float]):
    with pytest.raises(ValueError, match="between 0 and 1"):
        places(np.array(scores))


@pytest.mark.parametrize("seed", range(40))
def test_areas_are_scikit_learns_on_scores_that_were_rounded_down(seed: int):
    scores, has_label = scored(seed)
    rounded = THRESHOLDS[places(scores)]
    found = curves(ScoreHistograms.of(scores, has_label))
    assert found.roc_auc == pytest.approx(reference.roc_auc_score(has_label, rounded), abs=1e-12)
    assert found.average_precision == pytest.approx(reference.average_precision_score(has_label, rounded), abs=1e-12)
    assert found.true_positive_rate is not None
    assert found.false_positive_rate is not None
    for place in range(0, GRID, 9):
        positive = scores >= THRESHOLDS[place]
        assert found.true_positive_rate[place] == pytest.approx(positive[has_label].mean(), abs=1e-12)
        assert found.false_positive_rate[place] == pytest.approx(positive[~has_label].mean(), abs=1e-12)
        if positive.any():
            assert found.precision[place] == pytest.approx(has_label[positive].mean(), abs=1e-12)
        else:
            assert np.isnan(found.precision[place])


def test_without_one_side_there_is_no_area():
    only = curves(ScoreHistograms.of(np.array([0.2, 0.9]), np.array([True, True])))
    assert (only.roc_auc, only.false_positive_rate, only.average_precision) == (None, None, 1.0)
    none = curves(ScoreHistograms.of(np.array([0.2, 0.9]), np.array([False, False])))
    assert (none.roc_auc, none.true_positive_rate, none.average_precision) == (None, None, None)
    assert auc(np.zeros(GRID, dtype=np.int64), np.zeros(GRID, dtype=np.int64)) is None


def test_histograms_and_calibrations_add_up():
    scores, has_label = scored(3)
    parts = [(scores[:100], has_label[:100]), (scores[100:], has_label[100:])]
    whole, sums = ScoreHistograms.of(scores, has_label), [ScoreHistograms.of(*part) for part in parts]
    assert np.array_equal((sums[0] + sums[1]).positive, whole.positive)
    assert np.array_equal((sums[0] + sums[1]).negative, whole.negative)
    halves = [Calibration.of(*part) for part in parts]
    together = (halves[0] + halves[1]).expected_error
    assert together == pytest.approx(Calibration.of(scores, has_label).expected_error, abs=1e-12)


def test_a_billion_rows_do_not_overflow():
    positive = np.full(GRID, 10**8, dtype=np.int64)
    assert auc(positive, positive) == 0.5


@pytest.mark.parametrize("seed", range(10))
def test_areas_of_a_group_against_the_background(seed: int):
    scores, has_label = scored(seed, rows=500)
    in_group = np.random.default_rng(seed + 100).random(500) < 0.2
    group = ScoreHistograms.of(scores[in_group], has_label[in_group])
    found = subgroup_auc(group, ScoreHistograms.of(scores, has_label))
    rounded = THRESHOLDS[places(scores)]
    for ours, rows in (
        (found.subgroup, in_group),
        (found.bpsn, (in_group & ~has_label) | (~in_group & has_label)),
        (found.bnsp, (in_group & has_label) | (~in_group & ~has_label)),
    ):
        assert ours == pytest.approx(reference.roc_auc_score(has_label[rows], rounded[rows]), abs=1e-12)


def test_false_alarms_on_a_group_show():
    scores = np.array([0.9] * 50 + [0.1] * 50 + [0.95] * 20)
    has_label = np.array([True] * 50 + [False] * 70)
    group = ScoreHistograms.of(scores[100:], has_label[100:])
    found = subgroup_auc(group, ScoreHistograms.of(scores, has_label))
    assert (found.subgroup, found.bpsn, found.bnsp) == (None, 0.0, None)


def test_the_calibration_error_is_the_distance_of_score_and_share():
    generator = np.random.default_rng(5)
    scores = generator.random(20_000)
    honest = Calibration.of(scores, generator.random(20_000) < scores).expected_error
    boastful = Calibration.of(scores, generator.random(20_000) < scores / 2).expected_error
    assert honest is not None
    assert boastful is not None
    assert honest < 0.05
    assert boastful == pytest.approx(0.25, abs=0.02)
    by_hand = sum(
        abs(scores[places(scores) == place].sum() - (scores[places(scores) == place] > 0.5).sum())
        for place in range(GRID)
    )
    assert Calibration.of(scores, scores > 0.5).expected_error == pytest.approx(by_hand / 20_000, abs=1e-12)
    assert Calibration.of(np.array([]), np.array([], dtype=bool)).expected_error is None
