"""Names in a body that stand for objects."""

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
