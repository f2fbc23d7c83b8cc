"""Typed values from JSON: what the generator says, what the database keeps, what a server answers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def read(kind: type[T], data: object) -> T:
    """A value of the dataclass `kind`. Fields that it lacks, as a later version of MOP writes them, are left out.

    Raises:
        ValueError: the data has another form.
    """
    return cast("T", _reader(cast("Any", kind))(data))


@functools.cache
def _reader(kind: Any) -> Callable[[object], Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - neither the generator nor the help of a command reads any

    return TypeAdapter(kind).validate_python
