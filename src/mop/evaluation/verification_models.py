"""Verifications of results: asked for by administrators, done on a worker host, kept with what they found."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from mop.engine.models import DurableWork
from mop.evaluation.verification_states import VERIFICATION_LIFECYCLE, VerificationState

_ENDS = tuple(sorted(VERIFICATION_LIFECYCLE.final))


class EvaluationVerification(DurableWork):
    """One result computed again by other code. `evaluation/verifications.py` alone changes its state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluation = models.ForeignKey("evaluation.Evaluation", on_delete=models.CASCADE, related_name="verifications")
    state = models.CharField(max_length=16, choices=VerificationState, default=VerificationState.QUEUED)
    queue = models.CharField(max_length=100, help_text="the engine's queue on which it waits for a host")
    again = models.PositiveIntegerField(help_text="random rows that are inferred again")
    predictions_digest = models.CharField(max_length=64, help_text="of the result that is verified")
    holds = models.BooleanField(null=True, blank=True, help_text="whether every number holds; null until it finished")
    checks = models.JSONField(default=list, blank=True, help_text="name, kept, computed, holds")
    created_at = models.DateTimeField(default=timezone.now)
    created_by_label = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=_ENDS, ended_at__isnull=False)
                | (~models.Q(state__in=_ENDS) & models.Q(ended_at__isnull=True)),
                name="verification_ends_once",
            ),
            models.UniqueConstraint(
                fields=("evaluation",), condition=models.Q(ended_at__isnull=True), name="one_verification_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return f"verification of the {self.evaluation}"

    def get_state(self) -> VerificationState:
        """The state as its enum."""
        return VerificationState(self.state)

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work."""
        return f"verification:{self.pk}"
