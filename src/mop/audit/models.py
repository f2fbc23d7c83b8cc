"""The append-only record of every change of state."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.models.functions import Now


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    """Refuses what would rewrite history."""

    def update(self, **_kwargs: Any) -> NoReturn:
        """Refuse: events are never changed."""
        raise TypeError("audit events are append-only")

    def delete(self) -> NoReturn:
        """Refuse: events are never removed."""
        raise TypeError("audit events are append-only")


class AuditEvent(models.Model):
    """Who did what to which object, when and from where.

    The actor and the object are kept as id and label, without foreign keys: the record outlives both.
    """

    at = models.DateTimeField(db_default=Now(), db_index=True)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=200)
    address = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=300)
    data = models.JSONField(default=dict)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("object_type", "object_id", "-id"), name="audit_by_object"),
            models.Index(fields=("action", "-id"), name="audit_by_action"),
        )

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; refuse to change an event that stands."""
        if not self._state.adding:
            raise TypeError("audit events are append-only")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: events are never removed."""
        raise TypeError("audit events are append-only")
