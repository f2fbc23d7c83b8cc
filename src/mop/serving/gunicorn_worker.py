"""gunicorn's worker in front of one model process, and the way from its threads to the parts of MOP's own front.

A thread of gunicorn's reads a request and waits for its answer. What happens between is the other front's code, on an
event loop that has a thread of its own: routes and formats (app.py), queue and batches (dispatcher.py), the model
process with its deadline (pool.py, process.py).
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import uvloop
from gunicorn import util
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from mop.errors import InvalidRequestError, MopError, ServiceNotReadyError
from mop.serving.app import ServiceApp
from mop.serving.config import MIB, ServiceConfig
from mop.serving.dispatcher import Dispatcher
from mop.serving.exchange import Exchange, Headers, HttpError
from mop.serving.http_connection import KEEP_ALIVE_S
from mop.serving.lease import LineWriter
from mop.serving.metrics import Metrics
from mop.serving.problem import CONTENT_TYPE, problem_body
from mop.serving.service_log import ServiceLog
from mop.serving.shared_state import SharedState
from mop.slow_client_worker import SlowClientWorker

Answer = tuple[int, bytes, bytes, Headers]
DEADLINES_OF_AN_ITEM = 3  # two in the queue, one at work
REFUSALS = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}


class ModelWorker(SlowClientWorker):
    """One of gunicorn's threaded workers.

    Attributes:
        slot: its number from 0; a worker that replaces another takes its number.
    """

    slot = 0
    head_seconds = KEEP_ALIVE_S
    answer_seconds = KEEP_ALIVE_S
    _service: WorkerService | None = None

    def load_wsgi(self) -> None:
        """Start the model process; requests that come before it is ready are told so."""
        config: ServiceConfig = self.app.service
        self.body_seconds = KEEP_ALIVE_S + DEADLINES_OF_AN_ITEM * config.request_deadline_s
        self._service = WorkerService(config, self.app.shared_state, self.slot, connections=lambda: self.nr_conns)
        self._service.start()
        self.app.callable = self._service
        super().load_wsgi()

    def stop_model(self) -> None:
        """End the model process and all it started; called when gunicorn has stopped the worker.

        No thread of a request may hold the process: who waits for an answer gets one, who still sends is cut off.
        """
        if self._service is not None:
            self._service.stop()
            self.cut_off()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """What is not HTTP/1.1 as gunicorn reads it is answered in the form of all other errors."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        status = next((REFUSALS[kind] for kind in REFUSALS if isinstance(exc, kind)), HTTPStatus.BAD_REQUEST)
        body = problem_body(InvalidRequestError(f"This is not HTTP/1.1: {exc}."), status)
        head = b"HTTP/1.1 %d %b\r\nconnection: close\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
        util.write_nonblock(client, head % (status, status.phrase.encode(), CONTENT_TYPE, len(body)) + body)


class WorkerService:
    """The WSGI application of one worker: the routes of `app.py` before one model process.

    Args:
        config: of the whole service.
        shared_state: what its workers know of each other.
        slot: this worker's number from 0.
        connections: counts those that are open.
    """

    def __init__(
        self, config: ServiceConfig, shared_state: SharedState, slot: int, *, connections: Callable[[], int]
    ) -> None:
        self._config = config
        self._shared_state = shared_state
        self._slot = slot
        self._connections = connections
        self._pending: dict[Exchange, queue.SimpleQueue[Answer]] = {}
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run_loop, name="service", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._app: ServiceApp
        self._end: asyncio.Event

    def start(self) -> None:
        """Return when requests can be taken."""
        self._thread.start()
        self._up.wait()

    def stop(self) -> None:
        """End the model process; who still waits for an answer is told."""
        self._up.wait()  # a signal may have interrupted `start`
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        for answer in list(self._pending.values()):  # what reached the loop too late
            answer.put(_stopped())

    def _run_loop(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException:  # noqa: BLE001 - without its loop the worker would take requests and answer none
            traceback.print_exc()
            os._exit(1)  # gunicorn starts another

    async def _serve(self) -> None:
        own = _share(self._config)
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        writer = LineWriter(1, shared=True)
        label = f"worker-{self._slot + 1} "
        log = ServiceLog(own.log_path, own.max_log_bytes, writer.write, label=label)
        metrics = Metrics(worker=self._slot + 1)
        dispatcher = Dispatcher(own, log, metrics)
        self._app = ServiceApp(self._config, dispatcher, metrics, self._shared_state)
        if self._shared_state.started:
            dispatcher.pool.take_over()
        dispatcher.pool.start()
        publishing = self._loop.create_task(self._publish_state(dispatcher))
        self._up.set()
        await self._end.wait()
        await dispatcher.pool.stop()
        publishing.cancel()

    async def _publish_state(self, dispatcher: Dispatcher) -> None:
        """Keep this worker's slot true."""
        pool = dispatcher.pool
        while True:
            self._shared_state.set_ready(self._slot, ready=pool.ready_count > 0)
            if pool.failure is not None:
                self._shared_state.set_failure(self._slot, pool.failure)
            await pool.changed()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer one request; runs on one of gunicorn's threads."""
        exchange = Exchange(self, time.perf_counter())
        answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        exchange.method = environ["REQUEST_METHOD"]
        exchange.take_target(environ["RAW_URI"])
        exchange.headers = _headers(environ)
        _read_body(exchange, environ["wsgi.input"], self._config.max_request_bytes)
        self._pending[exchange] = answer
        try:
            self._loop.call_soon_threadsafe(self._handle, exchange)
        except RuntimeError:  # the loop has ended
            answer.put(_stopped())
        status, media_type, body, headers = answer.get()
        fields = [("content-type", media_type.decode()), ("content-length", str(len(body)))]
        fields += [(name.decode(), value.decode()) for name, value in headers]
        start_response(f"{int(status)} {HTTPStatus(status).phrase}", fields)
        if exchange.method == "HEAD":
            body = b""
        return _and_drop_rest(body, environ["wsgi.input"], exchange.refusal, self._config.max_request_bytes)

    def _handle(self, exchange: Exchange) -> None:
        """From here on as in the other front, on the loop's thread."""
        self._app.connections = self._connections()
        try:
            try:
                self._app.begin(exchange)
            except (HttpError, MopError) as refusal:
                exchange.refusal = exchange.refusal or refusal
            self._app.received(exchange)
            if exchange.refusal is not None:
                self._app.fail(exchange, exchange.refusal)
            else:
                self._app.run(exchange)
        except Exception as error:  # noqa: BLE001 - a bug; the thread that waits must not wait for ever
            self.respond(exchange, HTTPStatus.INTERNAL_SERVER_ERROR, b"text/plain", b"", ())
            self._loop.call_exception_handler({"message": "a request was not answered", "exception": error})

    def respond(self, exchange: Exchange, status: int, media_type: bytes, body: bytes, headers: Headers) -> None:
        """Hand the answer to the thread that waits for it."""
        answer = self._pending.pop(exchange, None)
        if answer is not None:
            answer.put((status, media_type, body, headers))


def _stopped() -> Answer:
    error = ServiceNotReadyError("The service stops.", hint="Ask again when it runs.")
    return error.http_status, CONTENT_TYPE, problem_body(error, error.http_status), ()


def _share(config: ServiceConfig) -> ServiceConfig:
    """What one of the workers may have of it: a model process, and its part of queue and log."""
    workers = config.workers
    return replace(
        config,
        workers=1,
        queue_limit=max(1, config.queue_limit // workers),
        queue_bytes_limit=max(MIB, config.queue_bytes_limit // workers),
        max_log_bytes=config.max_log_bytes // workers,
    )


def _headers(environ: dict[str, Any]) -> dict[bytes, bytes]:
    named = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    named |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if name in environ}
    return {name.replace("_", "-").lower().encode("latin-1"): value.encode("latin-1") for name, value in named.items()}


def _read_body(exchange: Exchange, stream: Any, limit: int) -> None:
    try:
        exchange.check_announced(limit)
        while not exchange.cut and (part := stream.read(MIB)):
            exchange.take(part, limit)
    except MopError as refusal:
        exchange.refusal = refusal
    except ParseException as error:  # in the middle of a chunked body
        exchange.refusal = HttpError(HTTPStatus.BAD_REQUEST, InvalidRequestError(f"This is not HTTP/1.1: {error}."))


def _and_drop_rest(body: bytes, stream: Any, refusal: Exception | None, limit: int) -> Iterator[bytes]:
    """The answer; then a part of what a refused caller still sends: closed at once, it would not see the answer."""
    yield body
    if isinstance(refusal, MopError):
        dropped = 0
        while dropped < limit and (part := stream.read(MIB)):
            dropped += len(part)
