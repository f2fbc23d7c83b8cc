"""Periodic work of the API. Workers import it, who need nothing else of the API."""

from __future__ import annotations

from django.utils import timezone

from mop.api.models import KEPT, IdempotentAnswer


def forget_old() -> int:
    """Remove answers that are no longer given again.

    Returns:
        How many went.
    """
    removed, _ = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return removed
