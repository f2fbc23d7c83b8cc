"""Answers that are given again when a call that creates something is sent again."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone

KEY_MAX = 200
KEPT = dt.timedelta(hours=24)


class IdempotentAnswer(models.Model):
    """What a caller was answered under an idempotency key. The body may hold a secret, so it is kept sealed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=KEY_MAX)
    request = models.CharField(max_length=64, help_text="digest of method, address and body")
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="one_answer_per_user_and_key"),)
        indexes = (models.Index(fields=("created_at",), name="idempotent_answers_by_age"),)

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"
