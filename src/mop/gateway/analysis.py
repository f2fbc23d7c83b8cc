"""One text or image: blocklists first, then every category by its released model, side by side."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pybase64

from mop.errors import MopError
from mop.gateway.analyze_requests import ImageRequest, TextRequest
from mop.gateway.blobs import read_blob
from mop.gateway.block_terms import Term, folded
from mop.gateway.categories import Category, Kind, OutputType
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.images import check_image
from mop.gateway.live_models import Choice, Findings, LiveModels, Model, Routing
from mop.gateway.shared_state import SharedState
from mop.gateway.whole_groups import WholeGroups
from mop.gateway.wire_errors import busy, invalid, of_model


@dataclass
class Analysis:
    """What was found.

    Attributes:
        body: the answer's JSON.
        findings: for the record: severity, score, release and version by category.
    """

    body: bytes = b""
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)


class _Asked:
    """What is asked of models for one request: each model once, whatever number of categories it answers."""

    def __init__(self, kind: Kind, item: bytes, models: LiveModels) -> None:
        self._kind = kind
        self._item = item
        self._models = models
        self._answers: dict[Model, asyncio.Future[Findings]] = {}

    def of(self, model: Model, *, is_canary: bool) -> asyncio.Future[Findings]:
        """Its answer, perhaps still to come."""
        answer = self._answers.get(model)
        if answer is None:
            answer = self._answers[model] = model.ask(self._kind, self._item)
            began = time.perf_counter()

            def note(answer: asyncio.Future[Findings]) -> None:
                if not answer.cancelled():
                    # asked for, so that an error that nobody waits for is none of its own
                    failed = answer.exception() is not None
                    seconds = time.perf_counter() - began
                    self._models.answered(model, is_canary=is_canary, seconds=seconds, failed=failed)

            answer.add_done_callback(note)
        return answer

    def give_up(self) -> None:
        """Nobody waits any more."""
        for answer in self._answers.values():
            answer.cancel()


class Analyzer:
    """Analyzes for one service."""

    def __init__(self, models: LiveModels, shared: SharedState, metrics: GatewayMetrics, *, service: str) -> None:
        self._models = models
        self._shared = shared
        self._metrics = metrics
        self._service = service
        self._groups = WholeGroups()

    async def text(self, request: TextRequest) -> Analysis:
        """Analyze a text.

        Raises:
            WireError: a blocklist or a category is not there, or a model did not answer.
        """
        matches = self._matches(request)
        if matches and request.halts:
            return Analysis(_answer([], matches))
        findings = await self._find(Kind.TEXT, request.item(), request.categories, request.output)
        rows = [{"category": name, "severity": found["severity"]} for name, found in findings.items()]
        return Analysis(_answer(rows, matches), findings)

    async def image(self, request: ImageRequest) -> Analysis:
        """Analyze an image.

        Raises:
            WireError: the url names no image that may be read, a category is not there, or a model did not answer.
        """
        if request.blob_url:
            image = await read_blob(request.blob_url, self._shared.containers)
            await asyncio.to_thread(check_image, image, "image.blobUrl")
            request = ImageRequest(pybase64.b64encode(image), "", request.categories)
        findings = await self._find(Kind.IMAGE, request.item(), request.categories, OutputType.FOUR)
        rows = [{"category": name, "severity": found["severity"]} for name, found in findings.items()]
        return Analysis(orjson.dumps({"categoriesAnalysis": rows}), findings)

    def _matches(self, request: TextRequest) -> list[Term] | None:
        """The terms that stand in the text; None where no blocklist was asked for."""
        if not request.blocklists:
            return None
        text, matches = folded(request.text), []
        for name in request.blocklists:
            terms = self._shared.terms(name)
            if terms is None:
                raise invalid("One of blocklistNames does not exist.", "blocklistNames")
            matches += terms.matches(text)
        self._metrics.blocklist_hits += bool(matches)
        return matches

    async def _find(
        self, kind: Kind, item: bytes, asked: tuple[Category, ...] | None, output: OutputType
    ) -> dict[str, dict[str, Any]]:
        draw = random.random()  # noqa: S311 - a share, not a secret
        routing = self._models.routing
        choices = self._choices(routing, kind, asked, draw)
        models = frozenset(choice.model for choice in choices.values())
        if len(models) == 1:
            return await self._answers(kind, item, output, routing, choices)
        async with self._groups.turn(models, routing):
            routing = self._models.routing  # it may be another by now
            return await self._answers(kind, item, output, routing, self._choices(routing, kind, asked, draw))

    def _choices(
        self, routing: Routing, kind: Kind, asked: tuple[Category, ...] | None, draw: float
    ) -> dict[Category, Choice]:
        categories = routing.released(kind) if asked is None else list(asked)
        if not categories:
            raise busy(f"No model is released to {self._service} for {kind.value.lower()}s.")
        if missing := [category.name for category in categories if (kind, category) not in routing.slots]:
            names = ", ".join(missing)
            message = f"No model is released to {self._service} for {names} of {kind.value.lower()}s."
            raise invalid(message, "categories")
        return routing.choose(kind, categories, draw=draw)

    async def _answers(
        self, kind: Kind, item: bytes, output: OutputType, routing: Routing, choices: Mapping[Category, Choice]
    ) -> dict[str, dict[str, Any]]:
        with routing.held():
            # until the last question nothing is awaited, so that all of them are asked of the present state
            asked_models = _Asked(kind, item, self._models)
            for choice in choices.values():
                asked_models.of(choice.model, is_canary=choice.fallback is not None)
            try:
                return {
                    category.name: self._shown(
                        kind, category, output, *await self._finding(category, choice, asked_models)
                    )
                    for category, choice in choices.items()
                }
            finally:
                asked_models.give_up()

    async def _finding(self, category: Category, choice: Choice, asked: _Asked) -> tuple[Choice, Mapping[str, Any]]:
        """Who answered, and what."""
        is_canary = choice.fallback is not None
        try:
            found = (await asked.of(choice.model, is_canary=is_canary))[category.finding]
        except MopError as error:
            self._metrics.model_answered(category.name, choice.model.label, is_canary=is_canary, failed=True)
            if choice.fallback is None:
                raise of_model(error) from error
        else:
            self._metrics.model_answered(category.name, choice.model.label, is_canary=is_canary, failed=False)
            return choice, found
        # callers do not pay for a canary: what is live answers in its place
        self._metrics.fallbacks += 1
        return await self._finding(category, Choice(choice.fallback), asked)

    def _shown(
        self, kind: Kind, category: Category, output: OutputType, choice: Choice, found: Mapping[str, Any]
    ) -> dict[str, Any]:
        severity = output.severity(found["severity"])
        self._metrics.severities[kind, category.name, severity] += 1
        return {
            "severity": severity,
            "score": round(found["score"], 6),
            "release": choice.model.release,
            "version": choice.model.label,
            "is_canary": choice.fallback is not None,
        }


def _answer(rows: list[dict[str, Any]], matches: list[Term] | None) -> bytes:
    answer: dict[str, Any] = {"categoriesAnalysis": rows}
    if matches is not None:
        answer["blocklistsMatch"] = [
            {"blocklistName": one.blocklist, "blocklistItemId": one.item_id, "blocklistItemText": one.text}
            for one in matches
        ]
    return orjson.dumps(answer)
