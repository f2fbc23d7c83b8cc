"""Where a delivery stands."""

from __future__ import annotations

from django.db import models


class DeliveryState(models.TextChoices):
    """Where a delivery stands."""

    QUEUED = "queued", "waits to be sent"
    DELIVERED = "delivered", "the receiver took it"
    FAILED = "failed", "given up"
    REFUSED = "refused", "not sent: the url leads where MOP may not send"
    WITHHELD = "withheld", "not sent: whom the webhook belongs to may no longer see it"
