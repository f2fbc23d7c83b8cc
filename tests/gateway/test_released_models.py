"""What is live follows the releases: started first, switched in one step, drained last."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from gateway.conftest import NOTHING
from mop.errors import UserScriptException
from mop.gateway.answer_log import AnswerLog
from mop.gateway.app import GatewayApp
from mop.gateway.canary import CanaryLimits
from mop.gateway.categories import CATEGORIES, Kind
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Findings
from mop.gateway.released_models import ReleasedModels
from mop.gateway.running_versions import RunningVersion
from mop.gateway.selectors import Shared
from mop.gateway.server import listening
from mop.gateway.service_client import ServiceClient, head_of
from mop.gateway.services import key_digest
from mop.gateway.shared_state import SharedState
from mop.gateway.wanted import Wanted, WantedRelease, WantedSlot
from mop.serving.http_client import Response

LIMITS = CanaryLimits(errors=1.0, latency=1.5)
PATH = "/contentsafety/text:analyze?api-version=2023-10-01"
KEY = "mopgw_key"


@dataclass(eq=False)
class Version:
    """The interface `RunningVersion` over a function: each finds its own level in every text."""

    level: int
    is_ready: bool = False
    is_stopped: bool = False
    together: int = 12
    seconds: float = 0.0
    error: Exception | None = None
    asked: int = 0

    def ask(self, _kind: Kind, _item: bytes) -> asyncio.Future[Findings]:
        assert not self.is_stopped
        self.asked += 1
        return asyncio.ensure_future(self._find())

    async def _find(self) -> Findings:
        await asyncio.sleep(self.seconds)
        assert not self.is_stopped
        if self.error is not None:
            raise self.error
        return {category.finding: {**NOTHING, "severity": self.level} for category in CATEGORIES}

    async def stop(self) -> None:
        self.is_ready, self.is_stopped = False, True


@dataclass
class MemoryReleases:
    """The interface `Releases` in memory."""

    state: Wanted = field(default_factory=lambda: Wanted({}))
    taken: list[int] = field(default_factory=list)
    may_take: bool = True
    ended: list[tuple[int, str]] = field(default_factory=list)

    def wanted(self) -> Wanted:
        return self.state

    def take(self, number: int) -> bool:
        self.taken.append(number)
        if self.may_take:
            [release] = [one for one in self.state.to_take if one.number == number]
            self.state = Wanted(everywhere(release))
        return self.may_take

    def end_canary(self, number: int, reason: str) -> None:
        self.ended.append((number, reason))
        self.state = Wanted({place: WantedSlot(slot.live) for place, slot in self.state.slots.items()})


def release(number: int) -> WantedRelease:
    return WantedRelease(number, uuid.UUID(int=number), f"model v{number}")


def everywhere(live: WantedRelease, canary: WantedRelease | None = None, share: int = 0) -> Any:
    return {(Kind.TEXT, category): WantedSlot(live, canary, share) for category in CATEGORIES}


@dataclass
class World:
    models: ReleasedModels
    releases: MemoryReleases
    versions: dict[int, Version]
    metrics: GatewayMetrics

    def levels(self) -> dict[str, int]:
        """Which release is live, by category."""
        slots = self.models.routing.slots
        return {category.name: slot.live.release for (_, category), slot in slots.items()}

    async def look(self) -> None:
        await self.models.look()
        await asyncio.sleep(0)  # what nothing names any more is stopped beside
        await self.models.look()
        await asyncio.sleep(0)


@pytest.fixture
async def world() -> World:
    versions: dict[int, Version] = {}

    def start(revision_id: uuid.UUID, _label: str) -> RunningVersion:
        version = versions[revision_id.int] = Version(revision_id.int % 8)
        return version

    releases, metrics = MemoryReleases(), GatewayMetrics("test")
    models = ReleasedModels(releases, start, LIMITS, metrics)
    return World(models, releases, versions, metrics)


async def test_a_new_release_answers_when_it_runs_and_the_old_one_is_stopped_after_its_last_request(world: World):
    world.releases.state = Wanted(everywhere(release(1)))
    await world.look()
    assert (world.levels(), world.models.is_ready) == ({}, False)
    world.versions[1].is_ready = True
    await world.look()
    assert set(world.levels().values()) == {1}
    assert world.models.is_ready

    world.releases.state = Wanted(everywhere(release(2)))
    await world.look()
    assert set(world.levels().values()) == {1}
    assert not world.models.is_ready
    world.versions[2].is_ready = True
    routing = world.models.routing
    routing.hold()
    await world.look()
    assert set(world.levels().values()) == {2}
    assert not world.versions[1].is_stopped
    routing.release()
    await world.look()
    assert world.versions[1].is_stopped


async def test_an_approved_release_goes_live_when_it_runs(world: World):
    world.releases.state = Wanted({}, (release(1),))
    await world.look()
    assert world.releases.taken == []
    world.versions[1].is_ready = True
    await world.look()
    assert world.releases.taken == [1]
    assert set(world.levels().values()) == {1}


async def test_an_approved_release_that_may_not_go_live_is_not_asked_for_every_second(world: World):
    world.releases.state, world.releases.may_take = Wanted({}, (release(1),)), False
    await world.look()
    world.versions[1].is_ready = True
    await world.look()
    await world.look()
    assert world.releases.taken == [1]
    assert world.versions[1].is_stopped


async def test_a_release_for_fewer_categories_replaces_only_those(world: World):
    world.releases.state = Wanted(everywhere(release(1)))
    await world.look()
    world.versions[1].is_ready = True
    await world.look()
    hate = (Kind.TEXT, CATEGORIES[0])
    world.releases.state = Wanted({**everywhere(release(1)), hate: WantedSlot(release(2))})
    await world.look()
    world.versions[2].is_ready = True
    await world.look()
    assert world.levels() == {"Hate": 2, "SelfHarm": 1, "Sexual": 1, "Violence": 1}
    assert not world.versions[1].is_stopped


async def test_what_is_retired_does_not_answer_any_more(world: World):
    world.releases.state = Wanted(everywhere(release(1)))
    await world.look()
    world.versions[1].is_ready = True
    await world.look()
    world.releases.state = Wanted({})
    await world.look()
    assert world.levels() == {}
    assert world.versions[1].is_stopped


async def test_two_releases_of_one_version_run_in_one_service(world: World):
    again = replace(release(1), number=7)
    world.releases.state = Wanted(everywhere(release(1)))
    await world.look()
    world.versions[1].is_ready = True
    await world.look()
    world.releases.state = Wanted(everywhere(again))
    await world.look()
    assert set(world.levels().values()) == {7}
    assert not world.versions[1].is_stopped


async def test_a_version_that_dies_is_not_ready_and_keeps_its_place(world: World):
    world.releases.state = Wanted(everywhere(release(1)))
    await world.look()
    world.versions[1].is_ready = True
    await world.look()
    world.versions[1].is_ready = False
    await world.look()
    assert (set(world.levels().values()), world.models.is_ready) == ({1}, False)
    world.versions[1].is_ready = True
    await world.look()
    assert world.models.is_ready


@pytest.mark.parametrize(("failed", "seconds", "reason"), [(True, 0.001, "failed"), (False, 0.2, "P95 latency")])
async def test_a_canary_that_breaks_its_gate_ends_at_once_and_in_the_database(
    world: World, *, failed: bool, seconds: float, reason: str
):
    world.releases.state = Wanted(everywhere(release(1), release(2), 50))
    await world.look()
    world.versions[1].is_ready = world.versions[2].is_ready = True
    await world.look()
    slot = world.models.routing.slots[Kind.TEXT, CATEGORIES[0]]
    assert (slot.share, slot.canary and slot.canary.release) == (50, 2)
    assert slot.canary is not None
    for _ in range(60):
        world.models.answered(slot.live, is_canary=False, seconds=0.001, failed=False)
    for _ in range(60):
        world.models.answered(slot.canary, is_canary=True, seconds=seconds, failed=failed)
    assert all(slot.canary is None for slot in world.models.routing.slots.values())
    await world.look()
    [(number, why)] = world.releases.ended
    assert number == 2
    assert reason in why
    assert world.metrics.canaries_ended == 1
    await world.look()
    assert world.versions[2].is_stopped


async def test_a_canary_of_the_same_number_is_judged_anew_when_it_begins_again(world: World):
    world.releases.state = Wanted(everywhere(release(1), release(2), 50))
    await world.look()
    world.versions[1].is_ready = world.versions[2].is_ready = True
    await world.look()
    for turn in (1, 2):
        canary = world.models.routing.slots[Kind.TEXT, CATEGORIES[0]].canary
        assert canary is not None
        for _ in range(10):
            world.models.answered(canary, is_canary=True, seconds=0.001, failed=True)
        await world.look()
        assert len(world.releases.ended) == turn
        world.releases.state = Wanted(everywhere(release(1), release(2), 50))
        await world.look()
        world.versions[2].is_ready = True
        await world.look()


@dataclass
class Load:
    """Callers of a gateway, and what they were answered."""

    client: ServiceClient
    statuses: Counter[int] = field(default_factory=Counter)
    answers: list[tuple[int, ...]] = field(default_factory=list)

    async def send(self, every: float, is_over: Callable[[], bool]) -> None:
        """Open loop: a request every so many seconds, whether the others are answered or not."""
        waiting: set[asyncio.Task[None]] = set()
        while not is_over():
            task = asyncio.create_task(self._one())
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            await asyncio.sleep(every)
        await asyncio.gather(*waiting)

    async def _one(self) -> None:
        body = orjson.dumps({"text": "a", "outputType": "EightSeverityLevels"})
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.client.post(head_of(PATH, f"ocp-apim-subscription-key: {KEY}\r\n"), body, answered.set_result)
        answer = await answered
        assert isinstance(answer, Response), answer
        self.statuses[answer.status] += 1
        if answer.status == 200:
            rows = orjson.loads(answer.body)["categoriesAnalysis"]
            self.answers.append(tuple(row["severity"] for row in rows))


def gateway_app(world: World) -> GatewayApp:
    shared = SharedState(1)
    shared._shared = Shared(0, {key_digest(KEY): 1})
    log = AnswerLog(1, world.metrics)
    return GatewayApp(
        service="test",
        models=world.models,
        shared=shared,
        management=None,
        log=log,
        metrics=world.metrics,  # type: ignore[arg-type]
    )


@pytest.mark.second_tier
async def test_fifty_switches_under_two_hundred_requests_a_second_lose_nothing(world: World):
    world.releases.state = Wanted(everywhere(release(1)))
    await world.look()
    world.versions[1].is_ready = True
    await world.look()
    is_over = False
    async with listening(gateway_app(world), host="127.0.0.1", port=0) as address:
        load = Load(ServiceClient(address))
        sending = asyncio.create_task(load.send(1 / 200, lambda: is_over))
        for number in range(2, 52):
            world.releases.state = Wanted({**world.releases.state.slots}, (release(number),))
            await world.models.look()
            world.versions[number].seconds = 0.005 * (number % 4)  # some answers are under way when it is replaced
            world.versions[number].is_ready = True
            await world.models.look()
            await asyncio.sleep(0.1)
        is_over = True
        await sending
        load.client.close()
    assert world.releases.taken == list(range(2, 52))
    assert set(load.statuses) == {200}
    assert load.statuses[200] > 500
    assert all(len(set(answer)) == 1 and len(answer) == 4 for answer in load.answers)
    assert len(set(load.answers)) == 8  # every level was seen: requests came between the switches
    await world.look()
    assert [number for number, version in world.versions.items() if not version.is_stopped] == [51]


async def test_a_canary_under_load_returns_without_a_request_that_fails(world: World):
    world.releases.state = Wanted(everywhere(release(1), release(2), 30))
    await world.look()
    world.versions[1].is_ready = world.versions[2].is_ready = True
    await world.look()
    world.versions[2].error = UserScriptException("raised")
    numbers = itertools.count()
    async with listening(gateway_app(world), host="127.0.0.1", port=0) as address:
        load = Load(ServiceClient(address))
        await load.send(0.002, lambda: next(numbers) >= 150)
        load.client.close()
    assert load.statuses == {200: 150}
    assert set(load.answers) == {(1, 1, 1, 1)}
    assert [number for number, _ in world.releases.ended] == [2]
    assert 5 <= world.versions[2].asked < 30


def test_categories_have_the_names_of_taxonomies_and_wrapper():
    found = [(one.name, one.taxonomy, one.finding) for one in CATEGORIES]
    assert found[1] == ("SelfHarm", "Self-harm", "self_harm")
