"""Logs of revisions: of their onboarding, and of their load tests."""

from __future__ import annotations

from django.db import models

from mop.registry.models import Revision


class LogKind(models.TextChoices):
    """Which log of a revision a line belongs to."""

    BUILD = "build", "Build log"
    DEPLOYMENT = "deployment", "Deployment log"
    LOAD_TEST = "load-test", "Load test log"


class LogLine(models.Model):
    """One line of a log of a revision, numbered from 1."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="log_lines")
    kind = models.CharField(max_length=12, choices=LogKind)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("revision", "kind", "number"), name="log_line_number_unique"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
