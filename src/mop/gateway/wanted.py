"""What should be live of a service, as its releases say."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mop.gateway.categories import Category, Kind


@dataclass(frozen=True)
class WantedRelease:
    """A release, detached from the database."""

    number: int
    revision_id: uuid.UUID
    label: str


@dataclass(frozen=True)
class WantedSlot:
    """What should answer a category."""

    live: WantedRelease
    canary: WantedRelease | None = None
    share: int = 0


@dataclass(frozen=True)
class Wanted:
    """What should be live.

    Attributes:
        slots: by kind and category.
        to_take: approved releases that go live as soon as they run, the oldest first.
    """

    slots: Mapping[tuple[Kind, Category], WantedSlot]
    to_take: tuple[WantedRelease, ...] = ()

    def releases(self) -> list[WantedRelease]:
        """Every release that has to run."""
        slots = self.slots.values()
        canaries = [slot.canary for slot in slots if slot.canary is not None]
        return [*(slot.live for slot in slots), *canaries, *self.to_take]


class Releases(Protocol):
    """The releases of one service. Every method reads or writes the database and may block."""

    def wanted(self) -> Wanted:
        """What should be live now."""

    def take(self, number: int) -> bool:
        """Write that an approved release is live; False where it may not be any more."""

    def end_canary(self, number: int, reason: str) -> None:
        """Write that a canary broke its gate; nothing where another gateway did."""
