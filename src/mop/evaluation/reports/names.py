"""Names of averages and metrics in addresses, lists and downloads, and what people read."""

from __future__ import annotations

AVERAGES = {"macro": "Macro", "micro": "Micro", "weighted": "Weighted"}
LABEL = "label"
"""In place of an average: the metrics of one label."""

METRICS = {"f1": "F1", "precision": "Precision", "recall": "Recall", "accuracy": "Accuracy"}

WORDS = {
    "accuracy": "Accuracy",
    "cohen_kappa": "Cohen's kappa",
    "matthews_correlation": "Matthews correlation",
    "quadratic_weighted_kappa": "Quadratic-weighted kappa",
    "mean_absolute_error": "Mean absolute error, levels",
    "positive_f1": "F1, best partition",
    **{
        f"{average}_{metric}": f"{average.capitalize()} {METRICS[metric] if metric == 'f1' else metric}"
        for average in AVERAGES
        for metric in ("f1", "precision", "recall")
    },
}
"""What people read, by the name of a metric of the whole."""


def field_of(average: str, metric: str) -> str:
    """The metric of the whole that an average and a metric mean: `macro_f1`; accuracy has no average."""
    return metric if metric == "accuracy" else f"{average}_{metric}"
