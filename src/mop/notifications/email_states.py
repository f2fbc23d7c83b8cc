"""Where an e-mail stands."""

from __future__ import annotations

from django.db import models


class EmailState(models.TextChoices):
    """Where an e-mail stands."""

    QUEUED = "queued", "waits to be sent"
    SENT = "sent", "sent"
    FAILED = "failed", "could not be sent"
    WITHHELD = "withheld", "not sent: its reader may no longer see it, or has no address"
