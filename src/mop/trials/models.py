"""Tries while they wait, run, and are looked at. What is in them nobody reads here: see `sealing.py`."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.engine.models import DurableWork
from mop.registry.models import Revision
from mop.trials.states import TRIAL_LIFECYCLE, TrialState

# sorted: sets would give each migration another order
_LIVE = tuple(sorted(TRIAL_LIFECYCLE.live))


class Trial(DurableWork):
    """One try. `trials/advance.py` alone changes its state; its row goes some minutes after its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="trials")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=TrialState, default=TrialState.QUEUED)
    note = models.CharField(max_length=300, blank=True, help_text="what it waits for, or does")
    public_key = models.BinaryField(null=True, help_text="of the worker that took it; the private one is in its memory")
    sealed_input = models.BinaryField(null=True, help_text="for that worker alone; gone as soon as it took it")
    sealed_answer = models.BinaryField(null=True, help_text="for the person who tried alone")
    queue = models.CharField(max_length=100, help_text="the engine's queue on which it waits for a host")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("user",), condition=models.Q(state__in=_LIVE), name="one_live_trial_per_user"
            ),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="trial_waiting"),)

    def __str__(self) -> str:
        return f"try of {self.revision}"

    def get_state(self) -> TrialState:
        return TrialState(self.state)

    @property
    def workflow_id(self) -> str:
        """The engine's name of the work."""
        return f"trial:{self.pk}"
