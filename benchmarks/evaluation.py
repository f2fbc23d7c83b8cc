"""Metrics of many predictions against scikit-learn's, in one run: all that follows from the matrix, and the curves.

    .venv/bin/python benchmarks/evaluation.py [--rows 10000000] [--labels 8] [--rounds 3]

Both are given the same arrays of codes and scores; each figure is the best of the rounds, which take turns. MOP's time
has the intervals left out, because scikit-learn has none; they are printed beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from sklearn import metrics as reference

from mop.evaluation.metrics import ConfusionMatrix, report
from mop.evaluation.metrics.curves import Calibration, ScoreHistograms, curves
from mop.evaluation.metrics.intervals import intervals, label_intervals
from mop.evaluation.metrics.matrix import OF_THE_WHOLE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--labels", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    generator = np.random.default_rng(1)
    true = generator.integers(0, options.labels, options.rows, dtype=np.uint8)
    wrong = generator.integers(0, options.labels, options.rows, dtype=np.uint8)
    predicted = np.where(generator.random(options.rows) < 0.8, true, wrong)
    scores = np.clip(generator.normal(0.4 + 0.2 * (true == 0), 0.2), 0, 1)
    labels = [f"label {place}" for place in range(options.labels)]

    def ours() -> object:
        return report(ConfusionMatrix.from_codes(true, predicted, labels))

    def theirs() -> object:
        return (
            reference.classification_report(true, predicted, output_dict=True),
            reference.confusion_matrix(true, predicted),
        )

    def our_curves() -> object:
        return (
            curves(ScoreHistograms.of(scores, true == 0)),
            Calibration.of(scores, true == 0).expected_error,
        )

    def their_curves() -> object:
        return (
            reference.roc_curve(true == 0, scores),
            reference.precision_recall_curve(true == 0, scores),
            reference.brier_score_loss(true == 0, scores),
        )

    print(f"{options.rows:,} rows, {options.labels} labels")
    compare("report and matrix", ours, theirs, options.rounds)
    compare("curves and calibration of a label", our_curves, their_curves, options.rounds)
    matrix = ConfusionMatrix.from_codes(true, predicted, labels)
    print(
        f"intervals of all metrics: {seconds(lambda: (intervals(matrix, OF_THE_WHOLE), label_intervals(matrix))):.3f} s"
    )


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> None:
    """Print the best times of both, and their ratio."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    fastest, other = (min(times) for times in zip(*pairs, strict=True))
    print(f"{name}: MOP {fastest:.3f} s, scikit-learn {other:.3f} s, ratio {other / fastest:.1f}")


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
