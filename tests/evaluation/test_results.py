from __future__ import annotations

import json

import numpy as np

from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.curves import Calibration, ScoreHistograms
from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.metrics.slices import SliceName
from mop.evaluation.results import EvaluationDocument, LabelScoreCounts, SliceCounts

SCORES = np.array([0.1, 0.45, 0.8, 0.999, 0.2])
HAS = np.array([False, True, True, True, False])


def test_a_result_is_the_same_after_it_was_kept_as_json() -> None:
    kept = json.loads(json.dumps(_categorical().to_dict()))
    read = EvaluationDocument.from_dict(kept)
    assert read.matrix == _categorical().matrix
    assert read.report() == _categorical().report()
    assert read.scores["1"].curves().roc_auc == _categorical().scores["1"].curves().roc_auc == 1.0
    assert read.scores["1"].calibration.expected_error == _categorical().scores["1"].calibration.expected_error
    assert read.intervals == {"accuracy": Interval(0.2, 0.9), "cohen_kappa": None}
    assert read.withheld == (SliceName("group", "few"),)
    assert read.to_dict() == _categorical().to_dict()


def test_the_worst_slice_is_the_one_with_the_lowest_macro_f1() -> None:
    worst = _categorical().worst_slice()
    assert worst is not None
    assert worst.name == SliceName("group", "b")


def test_an_ordinal_result_is_that_of_the_partition_with_the_highest_f1() -> None:
    matrix = ConfusionMatrix(("0", "1"), ("low", "mid", "high"), np.array([[0, 0, 80, 15, 5, 0], [0, 0, 2, 30, 60, 8]]))
    document = EvaluationDocument(matrix, ("low", "mid", "high"), {}, None, (), (), {}, 10)
    assert document.representing is not None
    assert document.representing.upper == ("mid", "high")
    assert document.headline == document.report().labels[1].f1 == 180 / (180 + 20 + 10)
    assert document.ordinal_metrics() == {}
    assert not document.is_measured_for_gates


def test_an_ordinal_dataset_has_kappa_and_mean_absolute_error() -> None:
    matrix = ConfusionMatrix(("low", "mid", "high"), (), np.array([[5, 1, 0, 0], [1, 5, 1, 0], [0, 0, 5, 0]]))
    document = EvaluationDocument(matrix, ("low", "mid", "high"), {}, None, (), (), {}, 10)
    assert document.ordinal_metrics()["mean_absolute_error"] == 3 / 18
    assert document.is_measured_for_gates


def _categorical() -> EvaluationDocument:
    matrix = ConfusionMatrix(("0", "1"), (), np.array([[20, 2, 1], [3, 30, 0]]))
    histograms = ScoreHistograms.of(SCORES, HAS)
    return EvaluationDocument(
        matrix=matrix,
        levels=(),
        scores={"1": LabelScoreCounts(histograms, Calibration.of(SCORES, HAS))},
        confidence=Calibration.of(SCORES, HAS),
        slices=(
            SliceCounts(
                SliceName("group", "a"), ConfusionMatrix(("0", "1"), (), np.array([[12, 0, 0], [0, 15, 0]])), {}
            ),
            SliceCounts(
                SliceName("group", "b"),
                ConfusionMatrix(("0", "1"), (), np.array([[8, 2, 1], [3, 15, 0]])),
                {"1": histograms},
            ),
        ),
        withheld=(SliceName("group", "few"),),
        intervals={"accuracy": Interval(0.2, 0.9), "cohen_kappa": None},
        least_rows=10,
    )
