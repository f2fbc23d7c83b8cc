"""Verification by scikit-learn: it says of every number that it holds, and finds each that was changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mop.evaluation.counting import Counting
from mop.evaluation.label_map import LabelMap
from mop.evaluation.predictions import LENGTH_RANGES, Predictions, SliceColumns, from_parquet, to_parquet
from mop.evaluation.results import LENGTH_COLUMN, EvaluationDocument
from mop.evaluation.verification import numbers

CATEGORICAL = LabelMap(("no", "maybe", "yes"), ("no", "yes"), ("maybe",), (0, 2, 1), ())
ORDINAL = LabelMap(("low", "mid", "high"), ("low", "mid", "high"), (), (0, 1, 2), ("low", "mid", "high"))
LEVELS = ("level 0", "level 1", "level 2")
ORDINAL_ON_BINARY = LabelMap(("0", "1", "2"), ("0", "1"), LEVELS, (2, 3, 4), LEVELS)
SLICES = SliceColumns({"group": ("a", "b", "few"), LENGTH_COLUMN: LENGTH_RANGES})
MAPS = pytest.mark.parametrize(
    "mapped", [CATEGORICAL, ORDINAL, ORDINAL_ON_BINARY], ids=["categorical", "ordinal", "ordinal on binary"]
)


@MAPS
def test_every_number_of_a_result_holds(mapped: LabelMap):
    found, document = made(mapped)
    checks = list(numbers(document, found, mapped, SLICES.values))
    assert [check for check in checks if not check.holds] == []
    assert len(checks) > 15


@MAPS
def test_a_changed_prediction_is_found(mapped: LabelMap):
    found, document = made(mapped)
    predicted = found.predicted.copy()
    predicted[3] = predicted[3] - 1 if predicted[3] not in {0, 2} else predicted[3] + 1
    failed = {
        check.name
        for check in numbers(document, replace(found, predicted=predicted), mapped, SLICES.values)
        if not check.holds
    }
    assert "confusion matrix" in failed


@MAPS
def test_parts_in_any_cut_count_the_same(mapped: LabelMap):
    found, document = made(mapped)
    for cut in (1, 100, 599):
        counting = Counting(mapped, SLICES)
        for part in (slice(0, cut), slice(cut, 600)):
            counting.add(from_parquet(to_parquet(part_of(found, part), mapped, SLICES)))
        again = counting.document(least_rows=10)
        assert exact(again) == exact(document)
        for label, one in again.scores.items():  # sums of scores depend on their order in the last bit
            kept = document.scores[label].calibration
            np.testing.assert_allclose(one.calibration.scores, kept.scores, rtol=1e-12)


def test_predictions_are_the_same_after_they_were_a_file():
    found, _ = made(CATEGORICAL)
    read = from_parquet(to_parquet(found, CATEGORICAL, SLICES))
    for name in ("true", "predicted", "slices", "scores"):
        np.testing.assert_array_equal(getattr(read, name), getattr(found, name))
    assert (read.first_row, list(read.errors)) == (2, list(found.errors))


def test_a_small_slice_is_in_no_result():
    _, document = made(CATEGORICAL)
    assert "few" not in {one.name.value for one in document.slices}
    assert "few" in {name.value for name in document.withheld}


def exact(document: EvaluationDocument) -> dict[str, object]:
    data = document.to_dict()
    del data["confidence"]
    return data | {"scores": {label: one["histograms"] for label, one in data["scores"].items()}}


def part_of(found: Predictions, rows: slice) -> Predictions:
    return Predictions(
        2 + rows.start,
        found.true[rows],
        found.predicted[rows],
        list(found.errors)[rows],
        found.slices[rows],
        found.scores[rows],
    )


def made(mapped: LabelMap) -> tuple[Predictions, EvaluationDocument]:
    generator = np.random.Generator(np.random.PCG64(7))
    count, labels = 600, len(mapped.task_labels)
    true = generator.integers(len(mapped.labels), size=count).astype(np.uint8)
    predicted = np.array(mapped.places, dtype=np.uint8)[generator.integers(labels, size=count)]
    unanswered = generator.random(count) < 0.02
    predicted[unanswered] = mapped.no_answer
    scores = generator.random((count, labels))
    if mapped.levels:
        scores = np.sort(scores, axis=1)[:, ::-1].copy()
    else:
        scores /= scores.sum(axis=1, keepdims=True)
    scores[unanswered] = np.nan
    groups = np.repeat(np.array([0, 1, 2], dtype=np.uint8), [400, 195, 5])
    lengths = generator.integers(2, size=count).astype(np.uint8)
    found = Predictions(
        first_row=2,
        true=true,
        predicted=predicted,
        errors=["InvalidModelOutputError" if one else "" for one in unanswered],
        slices=np.stack([groups, lengths], axis=1),
        scores=scores,
    )
    counting = Counting(mapped, SLICES)
    counting.add(found)
    return found, counting.document(least_rows=10)
