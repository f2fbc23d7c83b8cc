"""One text or image: blocklists first, then every category by its released model, side by side.

    request ─► matches of blocklists ─► Question: models of one state of what is live, each asked once
                                           │ all of them answered, a canary's failures made good by what is live
                                           ▼
                                        Analysis: the answer's JSON, and what is recorded

What is analyzed costs no task: an answer is told to a callback, since most of what a request costs here are steps of
the interpreter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pybase64

from mop.gateway.analyze_requests import ImageRequest, TextRequest
from mop.gateway.blobs import read_blob
from mop.gateway.block_terms import Term, folded
from mop.gateway.categories import CATEGORIES, HIGHEST_SEVERITY, Category, Kind, OutputType
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.images import check_image
from mop.gateway.live_models import LiveModels
from mop.gateway.questions import Found, Plans, Question
from mop.gateway.shared_state import SharedState
from mop.gateway.whole_groups import WholeGroups
from mop.gateway.wire_errors import invalid

_TEXT, _IMAGE, _FOUR = Kind.TEXT, Kind.IMAGE, OutputType.FOUR  # members of enumerations, looked up once
_ROWS = {
    (category.name, severity): orjson.dumps({"category": category.name, "severity": severity})
    for category in CATEGORIES
    for severity in range(HIGHEST_SEVERITY + 1)
}


class Analysis(NamedTuple):
    """What was found.

    Attributes:
        body: the answer's JSON.
        findings: for the record: severity, score, release and version by category.
    """

    body: bytes
    findings: Found


Done = Callable[[Analysis | Exception], None]
"""Told once what was found, or why nothing was; not told when the caller gives up."""


class Analyzer:
    """Analyzes for one service."""

    def __init__(self, models: LiveModels, shared: SharedState, metrics: GatewayMetrics, *, service: str) -> None:
        self._models = models
        self._shared = shared
        self._metrics = metrics
        self._plans = Plans(service)
        self._groups = WholeGroups()
        self._reading: set[asyncio.Task[None]] = set()

    def text(self, request: TextRequest, done: Done) -> Callable[[], object]:
        """Analyze a text; it may be done at once.

        Returns:
            What ends it when its caller gives up.

        Raises:
            WireError: a blocklist or a category is not there.
        """
        matches = self._matches(request)
        if matches and request.halts:
            done(Analysis(_answer({}, matches), {}))
            return _nothing

        def found(findings: Found | Exception) -> None:
            done(findings if isinstance(findings, Exception) else Analysis(_answer(findings, matches), findings))

        return self._ask(_TEXT, request.item(), request.categories, request.output, found)

    def image(self, request: ImageRequest, done: Done) -> Callable[[], object]:
        """Analyze an image.

        Returns:
            What ends it when its caller gives up.

        Raises:
            WireError: a category is not there.
        """

        def found(findings: Found | Exception) -> None:
            done(findings if isinstance(findings, Exception) else Analysis(_answer(findings, None), findings))

        if not request.blob_url:
            return self._ask(_IMAGE, request.item(), request.categories, _FOUR, found)
        reading = asyncio.get_running_loop().create_task(self._read_and_ask(request, found))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        return reading.cancel

    async def _read_and_ask(self, request: ImageRequest, found: Callable[[Found | Exception], None]) -> None:
        """An image behind a url; the task ends when the models answered, so that to cancel it ends all of it."""
        answered: asyncio.Future[Found | Exception] = asyncio.get_running_loop().create_future()
        try:
            image = await read_blob(request.blob_url, self._shared.containers)
            await asyncio.to_thread(check_image, image, "image.blobUrl")
            item = ImageRequest(pybase64.b64encode(image), "", request.categories).item()
            give_up = self._ask(Kind.IMAGE, item, request.categories, OutputType.FOUR, answered.set_result)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is answered
            found(error)
            return
        try:
            found(await answered)
        except asyncio.CancelledError:
            give_up()
            raise

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

    def _ask(
        self,
        kind: Kind,
        item: bytes,
        asked: tuple[Category, ...] | None,
        output: OutputType,
        found: Callable[[Found | Exception], None],
    ) -> Callable[[], object]:
        question = Question(self._models, self._plans, self._metrics, kind, item, asked, output, found)
        question.begin(self._groups)
        return question.give_up


def _nothing() -> None:
    """There is nothing to end."""


def _answer(findings: Found, matches: list[Term] | None) -> bytes:
    rows = b",".join([_ROWS[name, found["severity"]] for name, found in findings.items()])
    if matches is None:
        return b'{"categoriesAnalysis":[%b]}' % rows
    listed: list[dict[str, Any]] = [
        {"blocklistName": one.blocklist, "blocklistItemId": one.item_id, "blocklistItemText": one.text}
        for one in matches
    ]
    return b'{"categoriesAnalysis":[%b],"blocklistsMatch":%b}' % (rows, orjson.dumps(listed))
