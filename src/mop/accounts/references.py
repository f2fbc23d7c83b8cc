"""Names in a body that stand for objects, and the names of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mop.errors import NotFoundError, ValidationFailedError


@contextmanager
def named_in(field: str) -> Iterator[None]:
    """An object that a body's field names and that is not there is a mistake in that field, not a 404.

    Raises:
        ValidationFailedError: the block raised NotFoundError.
    """
    try:
        yield
    except NotFoundError as error:
        raise ValidationFailedError(f"{field}: {error.message}", fields={field: [error.message]}) from error


@contextmanager
def field_renamed(theirs: str, field: str) -> Iterator[None]:
    """A mistake that a service finds at `theirs` stands at `field`, as the body calls it.

    Raises:
        ValidationFailedError: the block raised it, here with the body's name.
    """
    try:
        yield
    except ValidationFailedError as error:
        fields = {field if name == theirs else name: messages for name, messages in error.fields.items()}
        text = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
        raise ValidationFailedError(text, fields=fields) from error
