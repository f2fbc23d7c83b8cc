"""Metrics of predictions. Pure numpy, without a database: a sceptic computes the same numbers from the same counts.

The confusion matrix is the value; every metric, average, merge of labels and partition is a function of it. What needs
scores stands on a fixed grid of thresholds. An undefined value is None, never 0.
"""

from mop.evaluation.metrics.matrix import ConfusionMatrix, Report, report

METRIC_VERSION = "1"
"""Part of every evaluation's digests. Another version computes the numbers anew from the predictions that are kept."""

__all__ = ["METRIC_VERSION", "ConfusionMatrix", "Report", "report"]
