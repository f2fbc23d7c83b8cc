"""Source prefixes that administrators gave to teams."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from mop.accounts.models import Team
from mop.sources.purposes import Purpose

PREFIX_MAX = 500


class SourcePrefix(models.Model):
    """A place below which MOP reads for a team, for one purpose. Without a team: for every team."""

    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="source_prefixes")
    purpose = models.CharField(max_length=16, choices=[(purpose.value, purpose.value) for purpose in Purpose])
    prefix = models.CharField(
        max_length=PREFIX_MAX, help_text="a url, or * for every configured file root and storage account"
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("team__name", "purpose", "prefix", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("team", "purpose", "prefix"),
                name="source_prefix_once_a_team",
                violation_error_message="This team has this prefix already.",
            ),
            models.UniqueConstraint(
                fields=("purpose", "prefix"),
                condition=models.Q(team=None),
                name="source_prefix_once_for_every_team",
                violation_error_message="Every team has this prefix already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prefix} ({self.purpose} of {self.team or 'every team'})"
