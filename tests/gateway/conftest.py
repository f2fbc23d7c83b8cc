"""A gateway in this process on a real socket, in front of small models that are functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from azure.ai.contentsafety import BlocklistClient, ContentSafetyClient
from azure.core.credentials import AzureKeyCredential

from mop.engine.database import in_database
from mop.errors import MopError
from mop.gateway.categories import CATEGORIES, Category, Kind
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Findings, Routing, Slot
from mop.gateway.running import Gateway, open_gateway
from mop.gateway.services import rotate_key
from mop.releases.models import Service, ServiceKind
from mop.releases.services import create_service
from support.factories import ACTOR, make_user

NOTHING = {"severity": 0, "score": 0.0}


@dataclass(eq=False)
class WordModel:
    """The interface `Model` over a function: every text with the word is of a severity, and every image of another."""

    word: str = "hate"
    level: int = 5
    finding: str = "hate"
    release: int = 1
    label: str = "words v1"
    together: int = 12
    error: MopError | None = None
    seconds: float = 0.0
    asked: list[tuple[Kind, Any]] = field(default_factory=list)

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        return asyncio.ensure_future(self._find(kind, orjson.loads(item)))

    async def _find(self, kind: Kind, item: Mapping[str, str]) -> Findings:
        self.asked.append((kind, item))
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        hit = kind is Kind.IMAGE or self.word in item["text"].split()
        findings = {category.finding: NOTHING for category in CATEGORIES}
        return {**findings, self.finding: {"severity": self.level, "score": 0.9}} if hit else findings


@dataclass
class FixedModels:
    """The interface `LiveModels`: a routing that tests set."""

    routing: Routing = field(default_factory=Routing)
    is_ready: bool = True
    answers: list[tuple[str, bool, bool]] = field(default_factory=list)

    def answered(self, model: Any, *, is_canary: bool, seconds: float, failed: bool) -> None:
        assert seconds >= 0
        self.answers.append((model.label, is_canary, failed))


def all_slots(model: Any, kinds: tuple[Kind, ...] = tuple(Kind)) -> dict[tuple[Kind, Category], Slot]:
    return {(kind, category): Slot(model) for kind in kinds for category in CATEGORIES}


@dataclass
class Caller:
    """The real client of Azure AI Content Safety, with a key; it runs in a thread of its own."""

    endpoint: str
    key: str
    loop: asyncio.AbstractEventLoop | None = None

    def in_database(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """Run a function where the transaction of the test is."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(in_database(function)(**arguments), self.loop).result()

    @property
    def safety(self) -> ContentSafetyClient:
        return ContentSafetyClient(self.endpoint, AzureKeyCredential(self.key), retry_total=0)

    @property
    def blocklists(self) -> BlocklistClient:
        return BlocklistClient(self.endpoint, AzureKeyCredential(self.key), retry_total=0)


@pytest.fixture
def service(db: None) -> Service:
    person = make_user("service-admin")
    return create_service(actor=ACTOR, user=person, name="Content Safety", kind=ServiceKind.AACS, admins=[person])


@pytest.fixture
def key(service: Service) -> str:
    return rotate_key(actor=ACTOR, service=service, number=1)


@pytest.fixture
def models() -> FixedModels:
    return FixedModels(Routing(all_slots(WordModel())))


Serve = Callable[..., Any]


@pytest.fixture
def serve(service: Service, key: str, models: FixedModels) -> Serve:
    """Runs a function of a caller in a thread while gateways of the service answer; further ones follow the first."""

    def run(body: Callable[..., Any], *, gateways: int = 1, metrics: GatewayMetrics | None = None) -> Any:
        async def block() -> Any:
            opened: list[Gateway] = []

            async def with_gateways(left: int) -> Any:
                if left == 0:
                    callers = [Caller(one.address, key, asyncio.get_running_loop()) for one in opened]
                    return await asyncio.to_thread(body, *callers)
                async with open_gateway(service, models, metrics or GatewayMetrics(service.name)) as one:
                    opened.append(one)
                    return await with_gateways(left - 1)

            return await with_gateways(gateways)

        return async_to_sync(block)()

    return run
