"""Regression tests of versions, and the outcome of each DSAT case. The cases' content stays with the cases."""

from __future__ import annotations

from django.db import models

from mop.dsat.models import Case
from mop.evaluation.case_runs.models import CaseOutcome, CaseRun, constraints_of


class RegressionRun(CaseRun):
    """The regression test of one version on all cases of its tasks. `regression/advance.py` alone changes its state."""

    class Meta(CaseRun.Meta):
        ordering = ("-created_at",)
        constraints = [
            *CaseRun.Meta.constraints,
            models.UniqueConstraint(fields=("revision",), name="one_regression_test_per_revision"),
        ]

    def __str__(self) -> str:
        return f"regression test of {self.revision}"


class RegressionOutcome(CaseOutcome):
    """How one case came out. It goes with the case."""

    run = models.ForeignKey(RegressionRun, on_delete=models.CASCADE, related_name="outcomes")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="regression_outcomes")

    class Meta:
        ordering = ("-case_id",)
        constraints = constraints_of("case")
        indexes = (models.Index(fields=("run", "attempt", "is_passed", "case"), name="regression_outcome_of_run"),)

    def __str__(self) -> str:
        return f"{self.case_id} in {self.run_id}"
