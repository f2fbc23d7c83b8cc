"""Comparisons that were computed, kept because each reads the predictions of two versions."""

from __future__ import annotations

from django.db import models


class EvaluationComparison(models.Model):
    """Two evaluations on the same rows, the second against the first.

    It counts only while both have the predictions, and the metric code, that it was computed from.
    """

    first = models.ForeignKey("evaluation.Evaluation", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("evaluation.Evaluation", on_delete=models.CASCADE, related_name="comparisons")
    first_predictions = models.CharField(max_length=64)
    second_predictions = models.CharField(max_length=64)
    metric_version = models.CharField(max_length=32)
    document = models.JSONField(help_text="differences of metrics with intervals; counts where they may be told")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("first", "second"), name="evaluations_are_compared_once"),)

    def __str__(self) -> str:
        return f"{self.second_id} against {self.first_id}"
