"""What is asked of models for one request: each model once, whatever number of categories it answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mop.errors import MopError
from mop.gateway.categories import Category, Kind, OutputType
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import Choice, Findings, LiveModels, Model, Routing
from mop.gateway.whole_groups import WholeGroups
from mop.gateway.wire_errors import busy, invalid, of_model

Found = dict[str, dict[str, Any]]
"""By category: severity, score, release, version and whether a canary answered."""


class Plan(NamedTuple):
    """Who answers one request.

    Attributes:
        choices: by category, in the contract's order.
        models: that are asked, each once.
    """

    choices: Mapping[Category, Choice]
    models: frozenset[Model]


class Plans:
    """Makes plans; where there is no canary, requests that ask the same share one until what is live changes."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._routing: Routing | None = None
        self._known: dict[tuple[Kind, tuple[Category, ...] | None], Plan] = {}

    def plan(self, routing: Routing, kind: Kind, asked: tuple[Category, ...] | None, draw: float) -> Plan:
        """The plan of a request.

        Raises:
            WireError: a category has no release.
        """
        if routing is not self._routing:
            self._routing, self._known = routing, {}
        plan = self._known.get((kind, asked))
        if plan is None:
            plan = self._made(routing, kind, asked, draw)
            if all(routing.slots[kind, category].canary is None for category in plan.choices):
                self._known[kind, asked] = plan
        return plan

    def _made(self, routing: Routing, kind: Kind, asked: tuple[Category, ...] | None, draw: float) -> Plan:
        categories = routing.released(kind) if asked is None else list(asked)
        if not categories:
            raise busy(f"No model is released to {self._service} for {kind.value.lower()}s.")
        if missing := [category.name for category in categories if (kind, category) not in routing.slots]:
            names = ", ".join(missing)
            message = f"No model is released to {self._service} for {names} of {kind.value.lower()}s."
            raise invalid(message, "categories")
        choices = routing.choose(kind, categories, draw=draw)
        return Plan(choices, frozenset(choice.model for choice in choices.values()))


class Question:
    """One request's.

    Args:
        models: what is live.
        plans: who answers.
        metrics: of this process.
        kind: of the item.
        item: what models take.
        asked: categories; None: every one that is released.
        output: how finely severities are told.
        found: told once what was found, or why nothing was; not told when the caller gives up.
    """

    __slots__ = (
        "_answers",
        "_asked",
        "_choices",
        "_draw",
        "_found",
        "_item",
        "_kind",
        "_leave",
        "_metrics",
        "_missing",
        "_models",
        "_output",
        "_plans",
        "_routing",
    )

    def __init__(
        self,
        models: LiveModels,
        plans: Plans,
        metrics: GatewayMetrics,
        kind: Kind,
        item: bytes,
        asked: tuple[Category, ...] | None,
        output: OutputType,
        found: Callable[[Found | Exception], None],
    ) -> None:
        self._models = models
        self._plans = plans
        self._metrics = metrics
        self._kind = kind
        self._item = item
        self._asked = asked
        self._output = output
        self._found: Callable[[Found | Exception], None] | None = found
        self._draw = random.random()  # noqa: S311 - a share, not a secret
        self._choices: Mapping[Category, Choice] = {}
        self._answers: dict[Model, asyncio.Future[Findings]] = {}
        self._missing = 0
        self._routing: Routing | None = None
        self._leave: Callable[[], None] | None = None

    def begin(self, groups: WholeGroups) -> None:
        """Ask, at once or when the turn of the group comes.

        Raises:
            WireError: a category has no release.
        """
        routing = self._models.routing
        plan = self._plans.plan(routing, self._kind, self._asked, self._draw)
        if len(plan.models) == 1:
            self._ask_all(routing, plan)
        else:
            self._leave = groups.enter(plan.models, routing, self._ask_in_turn)

    def give_up(self) -> None:
        """Nobody waits any more."""
        self._found = None
        self._end()

    def _ask_in_turn(self) -> None:
        """What is live may have changed since the request came."""
        try:
            routing = self._models.routing
            self._ask_all(routing, self._plans.plan(routing, self._kind, self._asked, self._draw))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is answered
            self._tell(error)

    def _ask_all(self, routing: Routing, plan: Plan) -> None:
        routing.hold()
        self._routing, self._choices = routing, plan.choices
        # nothing is awaited between the questions, so that all of them are asked of the present state
        for choice in plan.choices.values():
            if choice.model not in self._answers:
                self._ask(choice.model, is_canary=choice.fallback is not None)

    def _ask(self, model: Model, *, is_canary: bool) -> None:
        answer = self._answers[model] = model.ask(self._kind, self._item)
        self._missing += 1
        began = time.perf_counter()

        def answered(answer: asyncio.Future[Findings]) -> None:
            if not answer.cancelled():
                # asked for, so that an error that nobody waits for is none of its own
                error = answer.exception()
                seconds = time.perf_counter() - began
                self._models.answered(model, is_canary=is_canary, seconds=seconds, failed=error is not None)
                self._take(model, error)

        answer.add_done_callback(answered)

    def _take(self, model: Model, error: BaseException | None) -> None:
        """A model answered."""
        if self._found is None:
            return
        self._missing -= 1
        found: Found | Exception
        try:
            if error is not None:
                self._make_good(model, error)
            if self._missing:
                return
            found = self._shown()
        except MopError as failure:
            found = of_model(failure)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the caller is answered
            found = failure
        self._tell(found)

    def _make_good(self, model: Model, error: BaseException) -> None:
        """Callers do not pay for a canary: what is live answers in its place.

        Raises:
            WireError: it was what is live that failed.
        """
        if not isinstance(error, MopError):
            raise error
        choices = dict(self._choices)
        for category, choice in self._choices.items():
            if choice.model != model:
                continue
            is_canary = choice.fallback is not None
            self._metrics.model_answered(category.name, model.label, is_canary=is_canary, failed=True)
            if choice.fallback is None:
                raise of_model(error) from error
            self._metrics.fallbacks += 1
            choices[category] = Choice(choice.fallback)
            if choice.fallback not in self._answers:
                self._ask(choice.fallback, is_canary=False)
        self._choices = choices

    def _shown(self) -> Found:
        metrics, kind, output = self._metrics, self._kind, self._output
        shown = {}
        for category, choice in self._choices.items():
            model, is_canary = choice.model, choice.fallback is not None
            found = self._answers[model].result()[category.finding]
            metrics.model_answered(category.name, model.label, is_canary=is_canary, failed=False)
            severity = output.severity(found["severity"])
            metrics.severities[kind, category.name, severity] += 1
            shown[category.name] = {
                "severity": severity,
                "score": round(found["score"], 6),
                "release": model.release,
                "version": model.label,
                "is_canary": is_canary,
            }
        return shown

    def _tell(self, found: Found | Exception) -> None:
        tell, self._found = self._found, None
        self._end()
        if tell is not None:
            tell(found)

    def _end(self) -> None:
        routing, self._routing = self._routing, None
        leave, self._leave = self._leave, None
        if self._missing:
            for answer in self._answers.values():
                answer.cancel()
        if routing is not None:
            routing.release()
        if leave is not None:
            leave()
