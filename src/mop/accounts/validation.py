"""Saving a row only if it is valid, and what the names of things have in common."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Model

from mop.errors import ValidationFailedError

DESCRIPTION_MAX = 5000  # of what people write about a thing; lists show it, so it cannot be a book


def save_checked(row: Model) -> None:
    """Validate and save.

    Raises:
        ValidationFailedError: a field breaks its rule; `fields` maps each to its messages.
    """
    try:
        row.full_clean()
    except ValidationError as error:
        raise not_valid(error) from error
    row.save()


def not_valid(error: ValidationError) -> ValidationFailedError:
    """The error of a row's check, in the portal's words where Django's tell of models and fields."""
    fields = {name: [_in_plain_words(one) for one in found] for name, found in error.error_dict.items()}
    return ValidationFailedError(" ".join(text for texts in fields.values() for text in texts), fields=fields)


def _in_plain_words(error: ValidationError) -> str:
    if error.code == "unique" and error.params:
        return f"This {str(error.params['field_label']).lower()} is taken."
    if error.code in {"blank", "null"}:
        return "Fill this in."
    return " ".join(error.messages)


def check_name(name: str) -> None:
    """Check the name of a thing that people see in lists, type, and put into addresses.

    Raises:
        ValidationError: at `name`; it has several lines or unseen characters, blanks at its ends, or is `.` or `..`,
            which clients take out of an address.
    """
    if not name.isprintable() or name != name.strip() or name in {".", ".."}:
        raise ValidationError(
            {"name": "Use one line of printable characters, with no blank at either end; . and .. are no names."}
        )
