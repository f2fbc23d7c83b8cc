"""What the wire contract needs of released models: from which of them each category is answered now, and the answers.

    routing = models.routing                    # one state; a switch puts another in its place at once
    routing.hold()                              # nothing of it is stopped until it is released
    choice = routing.choose(Kind.TEXT, asked, draw=random())
    findings = await choice[category].model.ask(Kind.TEXT, item)
    routing.release()

Any implementation of `Model` can be served: released versions in their cages (`hosted_models.py`), or any function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mop.gateway.categories import CATEGORIES, Category, Kind

Findings = Mapping[str, Mapping[str, Any]]
"""`{"hate": {"severity": 0 to 7, "score": 0 to 1}, "self_harm": ..., "sexual": ..., "violence": ...}`."""


class Model(Protocol):
    """One released version that runs."""

    @property
    def label(self) -> str:
        """Model and version, for records and metrics."""

    @property
    def release(self) -> int:
        """The release's number."""

    @property
    def together(self) -> int:
        """Items that it works on at once; 1 if it takes each by itself."""

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item, `{"text"}` or `{"image": base64}` as JSON. It is asked at once, awaited or not.

        Raises:
            MopError: it did not answer.
        """


@dataclass(frozen=True)
class Slot:
    """Who answers one category of one kind.

    Attributes:
        canary: takes `share` per cent of the requests, where there is one.
    """

    live: Model
    canary: Model | None = None
    share: int = 0


@dataclass(frozen=True)
class Choice:
    """Who answers one category of one request; `fallback` is what is live where a canary answers."""

    model: Model
    fallback: Model | None = None


@dataclass
class Routing:
    """One state of what is live. It never changes; requests hold the one that they began with."""

    slots: Mapping[tuple[Kind, Category], Slot] = field(default_factory=dict)
    _holders: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def released(self, kind: Kind) -> list[Category]:
        """The categories that have a release, in the contract's order."""
        return [category for category in CATEGORIES if (kind, category) in self.slots]

    def choose(self, kind: Kind, categories: Iterable[Category], *, draw: float) -> dict[Category, Choice]:
        """Who answers each category. One number (0 to 1) decides for all, so that a canary gets whole requests."""
        chosen = {}
        for category in categories:
            slot = self.slots[kind, category]
            is_canary = slot.canary is not None and draw * 100 < slot.share
            chosen[category] = Choice(slot.canary, slot.live) if is_canary and slot.canary else Choice(slot.live)
        return chosen

    def models(self) -> set[Model]:
        """Every model that may be asked."""
        slots = self.slots.values()
        return {slot.live for slot in slots} | {slot.canary for slot in slots if slot.canary is not None}

    def hold(self) -> None:
        """A request began with it: its models run until `release` was called as often."""
        self._holders += 1

    def release(self) -> None:
        """A request is answered, or given up."""
        self._holders -= 1
        if self._holders == 0:
            self._idle.set()

    async def idle(self) -> None:
        """Return when no request holds it; ask when no new one can."""
        while self._holders:
            self._idle.clear()
            await self._idle.wait()


class LiveModels(Protocol):
    """What is live for one service."""

    @property
    def routing(self) -> Routing:
        """The present state."""

    @property
    def is_ready(self) -> bool:
        """Whether everything that should be live answers."""

    def answered(self, model: Model, *, is_canary: bool, seconds: float, failed: bool) -> None:
        """A model answered or failed, so that a canary can be judged."""
