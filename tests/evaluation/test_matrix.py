"""What is a function of the confusion matrix: the same as scikit-learn's where both define a value."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from mop.evaluation.metrics import ConfusionMatrix, report
from mop.evaluation.metrics.matrix import (
    BY_LABEL,
    OF_THE_WHOLE,
    ORDINAL,
    cohen_kappa,
    known,
    matthews_correlation,
    mean_absolute_error,
    quadratic_weighted_kappa,
)

CASES = 300
EXACT = 1e-12


def codes(seed: int, *, outside: int = 0, no_answer: bool = False) -> tuple[np.ndarray, np.ndarray, int]:
    """True labels, predictions and the number of labels of a small dataset; often some label never comes up."""
    generator = np.random.default_rng(seed)
    labels = int(generator.integers(2, 7))
    rows = int(generator.integers(1, 60))
    columns = labels + outside + no_answer
    skill = generator.random()
    true = generator.choice(labels, size=rows, p=generator.dirichlet(np.full(labels, 0.5)))
    predicted = np.where(generator.random(rows) < skill, true, generator.integers(0, columns, rows))
    return true.astype(np.uint8), predicted.astype(np.uint8), labels


def matrix_of(true: np.ndarray, predicted: np.ndarray, labels: int, outside: int = 0) -> ConfusionMatrix:
    names = [f"label {place}" for place in range(labels + outside)]
    return ConfusionMatrix.from_codes(true, predicted, names[:labels], names[labels:])


def same(ours: float | None, theirs: float) -> bool:
    return math.isnan(theirs) if ours is None else abs(ours - theirs) <= EXACT


@pytest.mark.parametrize(("outside", "no_answer"), [(0, False), (0, True), (2, True)])
def test_report_and_averages_are_scikit_learns(outside: int, no_answer: bool):  # noqa: FBT001 - a parameter
    for seed in range(CASES // 3):
        true, predicted, labels = codes(seed, outside=outside, no_answer=no_answer)
        found = report(matrix_of(true, predicted, labels, outside))
        options = {"labels": range(labels), "zero_division": np.nan}
        values = reference.precision_recall_fscore_support(true, predicted, **options)
        for name, theirs in zip(BY_LABEL, values, strict=False):
            assert all(same(getattr(line, name), value) for line, value in zip(found.labels, theirs, strict=True)), seed
        assert [line.support for line in found.labels] == values[3].tolist()
        for average, by_metric in found.averages.items():
            theirs = reference.precision_recall_fscore_support(true, predicted, average=average, **options)
            for name, ours, value in zip(by_metric, by_metric.values(), theirs, strict=False):
                if average == "weighted" and ours.value is None:  # scikit-learn says 0 by convention
                    assert not any(line.support for line in found.labels if getattr(line, name) is not None)
                else:
                    assert same(ours.value, value), (seed, average)
        assert same(found.metrics["accuracy"], reference.accuracy_score(true, predicted))
        assert found.total == len(true)
        assert found.no_answer == (predicted == labels + outside).sum()


def test_agreement_beyond_chance_is_scikit_learns_where_it_is_defined():
    undefined = 0
    for seed in range(CASES):
        true, predicted, labels = codes(seed, outside=1, no_answer=True)
        counts = matrix_of(true, predicted, labels, 1).counts
        kappa, correlation = known(cohen_kappa(counts)), known(matthews_correlation(counts))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert same(kappa, reference.cohen_kappa_score(true, predicted)), seed
            if correlation is None:  # scikit-learn says 0 by convention
                undefined += 1
                assert len(set(true)) == 1 or len(set(predicted)) == 1
            else:
                assert same(correlation, reference.matthews_corrcoef(true, predicted)), seed
    assert undefined > 5


def test_ordinal_agreement_is_scikit_learns_and_no_answer_is_as_wrong_as_can_be():
    for seed in range(CASES):
        true, predicted, labels = codes(seed, no_answer=True)
        counts = matrix_of(true, predicted, labels).counts
        farthest = np.where(true > labels - 1 - true, 0, labels - 1)
        answered = np.where(predicted == labels, farthest, predicted).astype(int)
        true = true.astype(int)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kappa = reference.cohen_kappa_score(true, answered, weights="quadratic", labels=range(labels))
        assert same(known(quadratic_weighted_kappa(counts)), kappa), seed
        assert same(known(mean_absolute_error(counts)), reference.mean_absolute_error(true, answered)), seed


def test_merged_labels_are_those_of_rows_that_were_named_anew():
    for seed in range(300):
        true, predicted, labels = codes(seed, outside=2, no_answer=True)
        matrix = matrix_of(true, predicted, labels, 2)
        generator = np.random.default_rng(seed)
        names = matrix.labels + matrix.outside
        merges = {name: f"group {generator.integers(3)}" for name in names if generator.random() < 0.6}
        merged = matrix.merged(merges)
        renamed = [merges.get(name, name) for name in names]
        places = {name: place for place, name in enumerate(merged.labels + merged.outside)}
        translation = np.array([*(places[name] for name in renamed), len(places)])
        assert merged == ConfusionMatrix.from_codes(
            translation[true], translation[predicted], merged.labels, merged.outside
        )


def test_a_label_outside_that_is_merged_into_one_of_the_dataset_counts_as_right():
    matrix = ConfusionMatrix(("safe", "hate"), ("slur",), np.array([[8, 1, 1, 0], [0, 3, 2, 1]]))
    merged = matrix.merged({"hate": "hateful", "slur": "hateful"})
    assert (merged.labels, merged.outside) == (("safe", "hateful"), ())
    assert merged.counts.tolist() == [[8, 2, 0], [0, 5, 1]]


@pytest.mark.parametrize("merges", [{"no such": "x"}, {"hate": "safe"}])
def test_a_merge_of_unknown_labels_or_into_a_name_that_stands_is_refused(merges: dict[str, str]):
    with pytest.raises(ValueError, match="label"):
        ConfusionMatrix(("safe", "hate"), (), np.zeros((2, 3), dtype=np.int64)).merged(merges)


def test_matrices_add_up_and_only_those_of_the_same_labels():
    true, predicted, labels = codes(7, no_answer=True)
    whole, half = matrix_of(true, predicted, labels), len(true) // 2
    parts = [matrix_of(true[part], predicted[part], labels) for part in (slice(half), slice(half, None))]
    assert parts[0] + parts[1] == whole
    with pytest.raises(ValueError, match="different labels"):
        whole + ConfusionMatrix.empty(["other", "labels"])


def test_more_rows_than_are_counted_at_once():
    generator = np.random.default_rng(1)
    true, predicted = generator.integers(0, 8, (2, 200_003), dtype=np.uint8)
    assert matrix_of(true, predicted, 8).counts[:, :-1].tolist() == reference.confusion_matrix(true, predicted).tolist()


# each degenerate case by the written rule: what has no denominator is undefined, never 0
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[0, 0, 0], [0, 0, 0]], {"accuracy": None, "macro_f1": None, "micro_f1": None, "cohen_kappa": None}),
        ([[5, 0, 0], [0, 0, 0]], {"accuracy": 1.0, "macro_f1": 1.0, "cohen_kappa": None, "matthews_correlation": None}),
        ([[0, 0, 5], [0, 0, 0]], {"accuracy": 0.0, "macro_precision": None, "macro_recall": 0.0, "macro_f1": 0.0}),
        ([[0, 5, 0], [5, 0, 0]], {"accuracy": 0.0, "macro_f1": 0.0, "matthews_correlation": -1.0, "cohen_kappa": -1.0}),
        ([[5, 0, 0], [5, 0, 0]], {"accuracy": 0.5, "macro_precision": 0.5, "matthews_correlation": None}),
    ],
)
def test_what_has_no_denominator_is_undefined(counts: list[list[int]], expected: dict[str, float | None]):
    found = report(ConfusionMatrix(("0", "1"), (), np.array(counts))).metrics
    assert {name: found[name] for name in expected} == expected


def test_an_average_says_over_how_many_labels_it_is():
    averages = report(ConfusionMatrix(("a", "b", "c"), (), np.array([[5, 1, 0, 0], [0, 4, 0, 0], [0] * 4]))).averages
    assert averages["macro"]["recall"].labels == 2
    assert averages["macro"]["recall"].value == pytest.approx((5 / 6 + 1) / 2, abs=EXACT)


@pytest.mark.parametrize("metric", [*OF_THE_WHOLE.values(), *ORDINAL.values()], ids=[*OF_THE_WHOLE, *ORDINAL])
def test_many_matrices_at_once_are_computed_as_each_alone(metric):
    generator = np.random.default_rng(3)
    many = generator.multinomial(12, generator.dirichlet(np.full(12, 0.3)), size=200).reshape(200, 3, 4)
    assert np.array_equal(metric(many), [metric(counts) for counts in many], equal_nan=True)


@pytest.mark.parametrize(
    ("true", "predicted"), [([0, 1], [0]), ([0, 2], [0, 0]), ([0, -1], [0, 0]), ([0, 1], [0, 3]), ([0, 1], [-1, 0])]
)
def test_codes_that_name_nothing_are_refused(true: list[int], predicted: list[int]):
    with pytest.raises(ValueError, match=r"label|predictions"):
        ConfusionMatrix.from_codes(np.array(true), np.array(predicted), ["a", "b"])


def test_large_numbers_of_rows_do_not_overflow():
    counts = np.array([[3_000_000_000, 10, 0], [10, 3_000_000_000, 0]])
    assert known(matthews_correlation(counts)) == pytest.approx(1 - 2 * 10 / 3_000_000_010, abs=EXACT)
