"""The HTTP routes of a service, over the dispatcher."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from mop.errors import InvalidRequestError, MopError, QueueFullError, ServiceNotReadyError
from mop.prometheus_text import MEDIA_TYPE
from mop.serving.calls import Call
from mop.serving.config import ServiceConfig
from mop.serving.dispatcher import Dispatcher
from mop.serving.exchange import Exchange, HttpError
from mop.serving.metrics import Metrics
from mop.serving.model_process import (
    ACS_IMAGE,
    ACS_TEXT,
    CONVERSION,
    LARGE_ITEM_BYTES,
    MODEL_FORMAT,
    MOP_FORMAT,
)
from mop.serving.openapi import description
from mop.serving.problem import CONTENT_TYPE, RETRY_STATUSES, problem_body, status_of

JSON = b"application/json"
FORMATS = {
    b"": MODEL_FORMAT,
    b"model": MODEL_FORMAT,
    b"mop": MOP_FORMAT,
    b"convert": CONVERSION,
    b"acs-text": ACS_TEXT,
    b"acs-image": ACS_IMAGE,
}
LONGEST_READY_WAIT_S = 30.0
LIST_BEGINS = re.compile(rb"[ \t\r\n]*\[")
SENT, ASKED = ("POST",), ("GET", "HEAD")
CALLER_GONE = 499  # nobody sees it; the metrics do


class Readiness(Protocol):
    """Whether the whole service can answer."""

    @property
    def ready(self) -> bool:
        """Whether a model process can answer now, after all were up once."""

    @property
    def ready_count(self) -> int:
        """Model processes that loaded the model."""

    @property
    def failure(self) -> MopError | None:
        """Why it never will answer again."""

    async def changed(self) -> None:
        """Wait until it may be otherwise."""


class ServiceApp:
    """POST /score, GET /health, /ready, /metrics, /openapi.json.

    Args:
        config: of the whole service.
        dispatcher: of this process.
        metrics: of this process.
        readiness: of the whole service; without it the dispatcher's model processes are all there are.
    """

    def __init__(
        self, config: ServiceConfig, dispatcher: Dispatcher, metrics: Metrics, readiness: Readiness | None = None
    ) -> None:
        self.connections = 0
        self.receiving_bytes = 0
        self.max_receiving_bytes = config.queue_bytes_limit
        self.max_connections = config.max_connections
        self.max_request_bytes = config.max_request_bytes
        self._config = config
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._readiness = readiness or dispatcher.pool
        self._ready_waits: set[asyncio.Task[None]] = set()
        self._routes: dict[str, tuple[tuple[str, ...], Callable[[Exchange], None]]] = {
            "/score": (SENT, self._score),
            "/health": (ASKED, self._health),
            "/ready": (ASKED, self._ready),
            "/metrics": (ASKED, self._metrics_page),
            "/openapi.json": (ASKED, self._describe),
        }

    def begin(self, exchange: Exchange) -> None:
        """Look at the head.

        Raises:
            HttpError, InvalidRequestError: the request will not be looked at.
        """
        self._dispatcher.receiving += 1
        if exchange.path not in self._routes:
            names = ", ".join(sorted(self._routes))
            message = f"There is no {exchange.path}. The routes are {names}."
            raise HttpError(HTTPStatus.NOT_FOUND, InvalidRequestError(message))
        allowed, _ = self._routes[exchange.path]
        if exchange.method not in allowed:
            error = InvalidRequestError(f"{exchange.path} takes {allowed[0]}, not {exchange.method}.")
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, error, [(b"allow", ", ".join(allowed).encode())])
        if allowed == SENT:
            _check_media_type(exchange.headers)

    def received(self, _exchange: Exchange) -> None:
        """The body is here, or never will be."""
        self._dispatcher.receiving -= 1

    def run(self, exchange: Exchange) -> None:
        """Answer, now or when the model did."""
        _, handler = self._routes[exchange.path]
        try:
            handler(exchange)
        except (HttpError, MopError) as error:
            self.fail(exchange, error)

    def fail(self, exchange: Exchange, error: HttpError | MopError) -> None:
        extra: list[tuple[bytes, bytes]] = []
        if isinstance(error, HttpError):
            status, extra, error = int(error.status), error.headers, error.error
        else:
            status = status_of(error)
        if status in RETRY_STATUSES:
            seconds = self._dispatcher.retry_after() if isinstance(error, QueueFullError) else 1
            extra = [*extra, (b"retry-after", b"%d" % seconds)]
        if exchange.path == "/score":
            self._count(exchange, status)
        exchange.respond(status, CONTENT_TYPE, problem_body(error, status), extra)

    def _count(self, exchange: Exchange, status: int) -> None:
        self._metrics.requests[status] += 1
        self._metrics.latency.observe(time.perf_counter() - exchange.started)

    def _score(self, exchange: Exchange) -> None:
        if self._readiness.failure is not None:
            raise self._readiness.failure
        form = _format(exchange.headers)
        bodies, listed = _items(exchange.body)
        if not bodies:
            self._answer(exchange, b"[]")
            return

        def done(call: Call) -> None:
            if call.error is not None:
                self.fail(exchange, call.error)
            else:
                self._answer(exchange, call.answer)

        in_series = exchange.headers.get(b"x-mop-pace") == b"series"
        call = self._dispatcher.submit(bodies, form, listed=listed, on_done=done, in_series=in_series)

        def gone() -> None:
            self._dispatcher.abandon(call)
            self._count(exchange, CALLER_GONE)

        exchange.on_gone = gone

    def _answer(self, exchange: Exchange, body: bytes) -> None:
        self._count(exchange, HTTPStatus.OK)
        exchange.respond(HTTPStatus.OK, JSON, body)

    def _health(self, exchange: Exchange) -> None:
        exchange.respond(HTTPStatus.OK, JSON, b'{"status":"alive"}')

    def _describe(self, exchange: Exchange) -> None:
        exchange.respond(HTTPStatus.OK, JSON, description(self._config))

    def _ready(self, exchange: Exchange) -> None:
        """Answers at once, or with ?wait=SECONDS when it is ready, failed, or the time is over."""
        task = asyncio.get_running_loop().create_task(self._ready_within(exchange, _wait(exchange.query)))
        self._ready_waits.add(task)
        task.add_done_callback(self._ready_waits.discard)
        exchange.on_gone = task.cancel

    async def _ready_within(self, exchange: Exchange, seconds: float) -> None:
        service = self._readiness
        end = time.monotonic() + seconds
        while not service.ready and service.failure is None and (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(service.changed(), left)
            except TimeoutError:
                break
        if service.failure is not None:
            self.fail(exchange, HttpError(HTTPStatus.SERVICE_UNAVAILABLE, service.failure))
        elif service.ready:
            state = {"status": "ready", "processes": service.ready_count, "workers": self._config.workers}
            exchange.respond(HTTPStatus.OK, JSON, orjson.dumps(state))
        else:
            self.fail(exchange, ServiceNotReadyError("No model process is ready yet.", hint="Ask again in a moment."))

    def _metrics_page(self, exchange: Exchange) -> None:
        pool = self._dispatcher.pool
        gauges = {
            "connections": (self.connections, "Connections that are open."),
            "receiving_bytes": (self.receiving_bytes, "Bytes of bodies that are being received."),
            "queue_items": (self._dispatcher.waiting, "Items that wait for a model process."),
            "in_flight_items": (pool.load, "Items handed to model processes and not answered."),
            "ready_processes": (pool.ready_count, "Model processes that can answer."),
        }
        exchange.respond(HTTPStatus.OK, MEDIA_TYPE.encode(), self._metrics.text(gauges).encode())


def _format(headers: dict[bytes, bytes]) -> int:
    name = headers.get(b"x-mop-format", b"").strip().lower()
    if name not in FORMATS:
        raise InvalidRequestError("X-MOP-Format is `mop`, `model` (the default), `convert`, `acs-text` or `acs-image`.")
    return FORMATS[name]


def _check_media_type(headers: dict[bytes, bytes]) -> None:
    media_type = headers.get(b"content-type", JSON).partition(b";")[0].strip().lower()
    if media_type != JSON and not media_type.endswith(b"+json"):
        error = InvalidRequestError("The body must be JSON: send Content-Type: application/json.")
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        error = InvalidRequestError("The body must not be compressed.")
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error)


def _items(body: bytes | bytearray) -> tuple[list[bytes | bytearray], bool]:
    """The JSON of each item, and whether they came as a list.

    A large single item (an image) is left to the model process, which reads it strictly too: reading it here as well
    would be most of what the front does for it. What is wrong with it costs its caller a place in the queue first.
    """
    if len(body) > LARGE_ITEM_BYTES and LIST_BEGINS.match(body) is None:
        return [body], False
    payload = _strict_json(body)
    if not isinstance(payload, list):
        return [body], False
    return [orjson.dumps(item) for item in payload], True


def _strict_json(body: bytes | bytearray) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequestError(f"The body is not JSON: {error.msg}.", place=place) from None


def _wait(query: str) -> float:
    text = parse_qs(query).get("wait", ["0"])[0]
    try:
        return min(LONGEST_READY_WAIT_S, float(text))
    except ValueError:
        raise InvalidRequestError("wait is a number of seconds.") from None
