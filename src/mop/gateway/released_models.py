"""What is live of a service, followed as its releases change, without a request that fails.

    every second:  what should be live? ─► start what does not run yet ─► an approved release runs: it goes live
                                                       │
       new requests ◄── new routing, put in the place of the old one in one step, as soon as its versions run
                                                       │
                   old routing: its last request is answered ─► versions that nothing names any more are stopped

A version that should be live and does not run yet leaves its place to what answered before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from django.db import DatabaseError

from mop.engine.database import in_database
from mop.errors import MopError
from mop.gateway.canary import CanaryGate, CanaryLimits
from mop.gateway.categories import Category, Kind
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Findings, Model, Routing, Slot
from mop.gateway.running_versions import RunningVersion, StartVersion
from mop.gateway.wanted import Releases, Wanted, WantedRelease, WantedSlot

LOOK_SECONDS = 1.0
REFUSED_SECONDS = 60.0
DRAIN_SECONDS = 200.0  # longer than any request may take; then what still waits is lost

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReleasedModel:
    """A release whose version runs."""

    release: int
    label: str
    version: RunningVersion = field(repr=False)

    def __hash__(self) -> int:
        return self.release  # every request looks it up, and of one number there is one

    @property
    def together(self) -> int:
        """Items that it works on at once."""
        return self.version.together

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item."""
        return self.version.ask(kind, item)


class ReleasedModels:
    """The interface `LiveModels` over the releases of a service.

    Args:
        releases: what should be live, and where it is written what is.
        start: starts a version.
        limits: of canaries.
        metrics: of this process.
    """

    def __init__(self, releases: Releases, start: StartVersion, limits: CanaryLimits, metrics: GatewayMetrics) -> None:
        self.routing = Routing()
        self.is_ready = False
        self._releases = releases
        self._start = start
        self._limits = limits
        self._metrics = metrics
        self._versions: dict[uuid.UUID, RunningVersion] = {}
        self._gates: dict[int, CanaryGate] = {}
        self._ended: set[int] = set()
        self._draining: set[asyncio.Task[None]] = set()
        self._returning: set[asyncio.Task[None]] = set()
        self._refused: dict[int, float] = {}
        self._canaries: dict[int, set[int]] = {}
        self._looking = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the releases while the block runs; everything is stopped at its end."""
        await self.look()
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.routing = Routing()
            for waiting in (*self._draining, *self._returning):
                waiting.cancel()
            await asyncio.gather(*(version.stop() for version in self._versions.values()))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (DatabaseError, MopError) as error:
                logger.warning("what is live stays as it was read last: %s", type(error).__name__)

    async def look(self) -> None:
        """Read what should be live, and come as near to it as what runs allows.

        Raises:
            DatabaseError: what should be live is not known; everything stays.
        """
        async with self._looking:
            wanted = await in_database(self._releases.wanted)()
            self._start_missing(wanted)
            if await self._take_approved(wanted):
                wanted = await in_database(self._releases.wanted)()
                self._start_missing(wanted)
            self._route(wanted)
            self._stop_unneeded(wanted)

    def answered(self, model: Model, *, is_canary: bool, seconds: float, failed: bool) -> None:
        """Judge the canaries that answer beside this model, or are it."""
        for number in [model.release] if is_canary else self._canaries.get(model.release, ()):
            if number in self._ended:
                continue
            gate = self._gates.get(number)
            if gate is None:
                gate = self._gates[number] = CanaryGate(self._limits)
            if reason := gate.observe(is_canary=is_canary, seconds=seconds, failed=failed):
                self._end_canary(number, reason)

    def _end_canary(self, number: int, reason: str) -> None:
        """At once here, and for every other gateway by the database."""
        logger.warning("the canary of release %d ends: %s", number, reason)
        self._ended.add(number)
        self._metrics.canaries_ended += 1
        without = {
            place: Slot(slot.live) if slot.canary is not None and slot.canary.release == number else slot
            for place, slot in self.routing.slots.items()
        }
        self._switch(without)
        task = asyncio.get_running_loop().create_task(self._write_end(number, reason))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _write_end(self, number: int, reason: str) -> None:
        while True:
            try:
                await in_database(self._releases.end_canary)(number, reason)
            except DatabaseError as error:
                logger.warning("the end of canary %d is not written yet: %s", number, type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return

    def _start_missing(self, wanted: Wanted) -> None:
        for release in wanted.releases():
            if release.revision_id not in self._versions and not self._is_refused(release):
                self._versions[release.revision_id] = self._start(release.revision_id, release.label)

    async def _take_approved(self, wanted: Wanted) -> bool:
        """Let approved releases that run go live, in their order; gives whether one did."""
        has_taken = False
        for release in wanted.to_take:
            version = self._versions.get(release.revision_id)
            if version is None or not version.is_ready or self._is_refused(release):
                continue
            try:
                is_taken = await in_database(self._releases.take)(release.number)
            except MopError as error:
                logger.warning("release %d does not go live: %s", release.number, error.name)
                is_taken = False
            has_taken = has_taken or is_taken
            if not is_taken:
                self._refused[release.number] = time.monotonic() + REFUSED_SECONDS
        return has_taken

    def _is_refused(self, release: WantedRelease) -> bool:
        """Whether it could not go live a short time ago."""
        return self._refused.get(release.number, 0.0) > time.monotonic()

    def _route(self, wanted: Wanted) -> None:
        slots: dict[tuple[Kind, Category], Slot] = {}
        is_complete = True
        for place, slot in wanted.slots.items():
            found = self._slot(slot, self.routing.slots.get(place))
            if found is not None:
                slots[place] = found
            is_complete = is_complete and found is not None and self._answers(found, slot.live)
        self.is_ready = is_complete and bool(slots)
        present = {slot.canary.number for slot in wanted.slots.values() if slot.canary is not None}
        self._ended &= present
        self._gates = {number: gate for number, gate in self._gates.items() if number in present}
        if slots != self.routing.slots:
            self._switch(slots)

    @staticmethod
    def _answers(slot: Slot, wanted: WantedRelease) -> bool:
        live = slot.live
        return isinstance(live, ReleasedModel) and live.release == wanted.number and live.version.is_ready

    def _slot(self, wanted: WantedSlot, before: Slot | None) -> Slot | None:
        live = self._running(wanted.live) or (before.live if before is not None else None)
        if live is None:
            return None
        canary = wanted.canary
        if canary is None or canary.number in self._ended:
            return Slot(live)
        running = self._running(canary)
        return Slot(live) if running is None else Slot(live, running, wanted.share)

    def _running(self, release: WantedRelease) -> ReleasedModel | None:
        version = self._versions.get(release.revision_id)
        if version is None or not version.is_ready:
            return None
        return ReleasedModel(release.number, release.label, version)

    def _switch(self, slots: dict[tuple[Kind, Category], Slot]) -> None:
        """New requests take the new state; the old one is given up when its last request is answered."""
        before, self.routing = self.routing, Routing(slots)
        self._canaries = {}
        for slot in slots.values():
            if slot.canary is not None:
                self._canaries.setdefault(slot.live.release, set()).add(slot.canary.release)
        self._metrics.switches += 1
        names = ", ".join(sorted({f"{model.label} (release {model.release})" for model in self.routing.models()}))
        logger.info("live is now: %s", names or "nothing")
        task = asyncio.get_running_loop().create_task(self._drain(before))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    async def _drain(self, routing: Routing) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await routing.idle()

    def _stop_unneeded(self, wanted: Wanted) -> None:
        """Stop versions that nothing names and that no request waits for; whatever drains is looked at next time."""
        if self._draining:
            return
        used = {model.version for model in self.routing.models() if isinstance(model, ReleasedModel)}
        named = {release.revision_id for release in wanted.releases() if not self._is_refused(release)}
        for revision_id, version in list(self._versions.items()):
            if revision_id not in named and version not in used:
                del self._versions[revision_id]
                task = asyncio.get_running_loop().create_task(version.stop())
                self._returning.add(task)
                task.add_done_callback(self._returning.discard)
