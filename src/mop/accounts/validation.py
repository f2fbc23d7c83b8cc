"""Saving a row only if it is valid."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Model

from mop.errors import ValidationFailedError


def save_checked(row: Model) -> None:
    """Validate and save.

    Raises:
        ValidationFailedError: a field breaks its rule; `fields` maps each to its messages.
    """
    try:
        row.full_clean()
    except ValidationError as error:
        raise ValidationFailedError(" ".join(error.messages), fields=error.message_dict) from error
    row.save()
