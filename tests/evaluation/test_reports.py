"""The document of an evaluation equals scikit-learn on the rows themselves, also after merges and by slice."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from mop.evaluation.metrics.matrix import ConfusionMatrix
from mop.evaluation.reports.by_slice import reading_order
from mop.evaluation.reports.document import report_of
from mop.evaluation.reports.shown import Shown
from support.measurements import categorical, ordinal

SEEDS = (1, 2)
EXACT = pytest.approx


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def reference_numbers(true: np.ndarray, said: np.ndarray, labels: range) -> dict[str, float]:
    found = {"accuracy": reference.accuracy_score(true, said)}
    for average in ("macro", "micro", "weighted"):
        values = reference.precision_recall_fscore_support(
            true, said, labels=list(labels), average=average, zero_division=np.nan
        )
        found |= {
            f"{average}_{name}": value for name, value in zip(("precision", "recall", "f1"), values, strict=False)
        }
    return found


def assert_same(shown: dict, expected: dict[str, float]):
    for name, value in expected.items():
        assert shown[name] == EXACT(value, abs=1e-12), name


@pytest.mark.parametrize("seed", SEEDS)
def test_metrics_of_the_whole_and_of_labels_are_those_of_the_rows(seed: int):
    rows = categorical(seed, outside=("praise",))
    found = report_of(rows.shown())
    labels = range(len(rows.labels))
    assert_same(found.metrics, reference_numbers(rows.true, rows.said, labels))
    per_label = reference.precision_recall_fscore_support(rows.true, rows.said, labels=list(labels))
    for place, line in enumerate(found.by_label):
        assert (line.precision, line.recall, line.f1, line.support) == tuple(
            EXACT(float(values[place]), abs=1e-12) for values in per_label
        )
    assert found.no_answer == int((rows.said == 4).sum())
    assert found.headline == "macro_f1"
    for name, interval in found.intervals.items():
        assert interval is None or interval.low <= found.metrics[name] <= interval.high


@pytest.mark.parametrize("seed", SEEDS)
def test_merged_labels_are_computed_as_if_the_rows_had_been_labelled_so(seed: int):
    rows = categorical(seed, outside=("praise",))
    found = report_of(rows.shown(), merges={"threat": "bad", "graphic": "bad", "praise": "bad"})
    place = np.array([0, 1, 1, 1, 2])  # none, bad, no answer
    true, said = place[rows.true], place[rows.said]
    assert found.labels == ("none", "bad")
    assert_same(found.metrics, reference_numbers(true, said, range(2)))
    matrix = reference.confusion_matrix(true, said, labels=[0, 1, 2])[:2]
    assert np.array_equal(found.confusion_matrix.counts, matrix)
    for one in found.slices:
        if one.withheld:
            continue
        chosen = np.array([value == one.value for value in rows.groups[one.column]])
        expected = reference_numbers(true[chosen], said[chosen], range(2))
        assert_same(one.metrics, {name: expected[name] for name in one.metrics})
    # scores belong to single labels
    assert [one.label for one in found.curves] == ["none"]
    assert found.calibration is None


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_partitions_are_binary_problems_of_the_rows_and_the_best_represents(seed: int, *, is_binary: bool):
    rows = ordinal(seed, is_binary=is_binary)
    found = report_of(rows.shown())
    level = rows.said - (2 if is_binary else 0)
    answered = level < 4
    values = []
    for cut, partition in enumerate(found.partitions, 1):
        true = rows.true if is_binary else (rows.true >= cut).astype(int)
        said = np.where(answered, (level >= cut).astype(int), 2)
        assert_same(partition.metrics, reference_numbers(true, said, range(2)))
        values.append(reference.f1_score(true, said, labels=[1], average="macro"))
        assert partition.metrics["positive_f1"] == EXACT(values[-1], abs=1e-12)
    best = int(np.argmax(values))
    assert [one.is_representing for one in found.partitions] == [place == best for place in range(3)]
    assert (found.headline, found.metrics["positive_f1"]) == ("positive_f1", EXACT(max(values), abs=1e-12))
    assert found.representing.name == found.partitions[best].name
    assert ("mean_absolute_error" in found.metrics) is not is_binary
    for one in found.slices:
        if not one.withheld:
            chosen = np.array([value == one.value for value in rows.groups[one.column]])
            true = (rows.true if is_binary else (rows.true > best).astype(int))[chosen]
            said = np.where(answered, (level > best).astype(int), 2)[chosen]
            expected = reference.f1_score(true, said, labels=[1], average="macro")
            assert one.metrics["positive_f1"] == EXACT(expected, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_slices_are_those_of_their_rows_and_the_worst_is_named(seed: int):
    rows = categorical(seed)
    found = report_of(rows.shown())
    shown = [one for one in found.slices if not one.withheld]
    assert len(shown) >= 3
    for one in shown:
        chosen = np.array([value == one.value for value in rows.groups[one.column]])
        expected = reference_numbers(rows.true[chosen], rows.said[chosen], range(3))
        assert_same(one.metrics, {name: expected[name] for name in one.metrics})
        assert one.rows == chosen.sum()
    assert found.worst_slice.metrics["macro_f1"] == min(one.metrics["macro_f1"] for one in shown)


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_of_scores_are_those_of_scores_rounded_down_and_have_four_decimals(seed: int):
    rows = categorical(seed)
    found = report_of(rows.shown())
    for place, figures in enumerate(found.curves):
        down = np.floor(rows.scores[:, place] * 100 + 1e-9) / 100
        assert figures.roc_auc == round(reference.roc_auc_score(rows.true == place, down), 4)
        assert figures.average_precision == round(reference.average_precision_score(rows.true == place, down), 4)
        assert len(figures.thresholds) == 101
        for one in figures.thresholds[::10]:
            said = down >= one.threshold - 1e-9
            assert one.f1 == round(reference.f1_score(rows.true == place, said), 4)
    every = [value for one in found.curves for row in one.thresholds for value in dataclasses.astuple(row)[1:]]
    every += [value for one in found.slices for area in one.subgroups for value in dataclasses.astuple(area)[1:]]
    every += [value for one in found.calibration.bins for value in dataclasses.astuple(one)]
    assert all(value is None or round(value, 4) == value for value in every)
    assert sum(one.share_of_rows for one in found.calibration.bins) == EXACT(1, abs=1e-3)


def counts_alone(matrix: ConfusionMatrix) -> Shown:
    return Shown(matrix, (), {}, {}, None, {}, {}, {}, 10)


def test_what_is_undefined_is_undefined_and_not_zero():
    empty = report_of(counts_alone(ConfusionMatrix.empty(("a", "b"))))
    assert empty.metrics["accuracy"] is None
    assert empty.metrics["macro_f1"] is None
    one_label = ConfusionMatrix(("a", "b"), (), np.array([[20, 0, 0], [0, 0, 0]]))
    found = report_of(counts_alone(one_label))
    assert (found.by_label[1].precision, found.by_label[1].recall, found.by_label[1].f1) == (None, None, None)
    assert found.averaged_over["macro_f1"] == 1
    assert found.intervals["accuracy"].low < 1


def test_a_merge_that_leaves_one_label_or_is_of_levels_is_refused():
    rows = categorical(1)
    with pytest.raises(ValueError, match="two labels"):
        report_of(rows.shown(), merges=dict.fromkeys(rows.labels, "all"))
    with pytest.raises(ValueError, match="partitions"):
        report_of(ordinal(1).shown(), merges={"0": "low", "1": "low"})
    with pytest.raises(ValueError, match="no labels"):
        report_of(rows.shown(), merges={"unheard of": "all"})


def test_ranges_of_text_lengths_stand_from_the_shortest_and_other_slices_by_name():
    lengths = ["over 1,000", "201 to 1,000", "1 to 50", "51 to 200"]
    found = [("text length", value) for value in lengths] + [("source", "9"), ("source", "10")]
    assert sorted(found, key=lambda one: reading_order(*one)) == [
        ("source", "10"),
        ("source", "9"),
        *(("text length", value) for value in ("1 to 50", "51 to 200", "201 to 1,000", "over 1,000")),
    ]
