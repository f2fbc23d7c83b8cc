"""References from an area's description to its code and to the installation's settings.

A description is imported by processes that never run its code: the command line without Django, the portal without
the engine. So it names code instead of importing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True)
class Ref(Generic[T]):
    """An object by its name, `module:attribute`; its module is imported when it is loaded."""

    name: str

    def load(self) -> T:
        """The object."""
        module, _, attribute = self.name.partition(":")
        return cast("T", getattr(import_module(module), attribute))


@dataclass(frozen=True)
class Setting:
    """A number that the operator sets: the setting's name, and what its value is multiplied by."""

    name: str
    factor: float = 1

    @property
    def value(self) -> float:
        """The number of this installation."""
        from django.conf import settings  # noqa: PLC0415 - descriptions are read without Django too

        return float(getattr(settings, self.name)) * self.factor
