"""The gateway's HTTP: routes of the wire contract, keys, request ids, errors. `serving/http_connection.py` speaks HTTP.

Every answer has a request id, in the headers x-ms-request-id and apim-request-id. What was asked goes nowhere but to
the models.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

import orjson

from mop.errors import MopError, NotAuthenticatedError
from mop.gateway.analysis import Analysis, Analyzer
from mop.gateway.analyze_requests import read_image_request, read_text_request
from mop.gateway.answer_log import Answered, AnswerLog
from mop.gateway.categories import Kind
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import LiveModels
from mop.gateway.management import Management
from mop.gateway.questions import Found
from mop.gateway.request_ids import RequestIds
from mop.gateway.shared_state import SharedState
from mop.gateway.wire_errors import WireError, internal, invalid, not_found, of_transport
from mop.prometheus_text import MEDIA_TYPE
from mop.serving.exchange import Exchange, HttpError

API_VERSION = "2023-10-01"
JSON = b"application/json"
QUERY_FIELDS_MAX = 20
REQUEST_BYTES_MAX = 8 << 20
RECEIVING_BYTES_MAX = 512 << 20
CONNECTIONS_MAX = 4096
CALLER_GONE = 499
ROOT = "/contentsafety/"
# members of an enumeration, looked up once
OK, TEXT = int(HTTPStatus.OK), Kind.TEXT
DENIED = (
    "Access denied: the request has no valid key. Send one of the service's two keys as Ocp-Apim-Subscription-Key, or "
    "as Authorization: Bearer."
)
OPERATIONS = {Kind.TEXT: "text:analyze", Kind.IMAGE: "image:analyze"}
_KINDS = {operation: kind for kind, operation in OPERATIONS.items()}
_USUAL = {f"{ROOT}{operation}?api-version={API_VERSION}".encode(): kind for kind, operation in OPERATIONS.items()}
_OPEN = ("/health", "/ready")
_SLASHES = re.compile(r"/{2,}")
_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)

logger = logging.getLogger(__name__)


class Reply(NamedTuple):
    """An answer that is no error."""

    status: int
    body: bytes = b""
    media_type: bytes = JSON


class Asked(NamedTuple):
    """A request whose caller is known.

    Attributes:
        path: below /contentsafety/.
        key: number of the key that was sent.
        base: scheme and host by which the caller reached this server, for links in answers.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes | bytearray
    key: int
    base: str


class GatewayApp:
    """What answers the requests of one service's callers.

    Args:
        service: its name.
        models: what is live.
        shared: keys, blocklists, containers.
        management: the routes that change or read what is kept.
        log: records answers.
        metrics: of this process.
    """

    def __init__(
        self,
        *,
        service: str,
        models: LiveModels,
        shared: SharedState,
        management: Management,
        log: AnswerLog,
        metrics: GatewayMetrics,
    ) -> None:
        self.connections = 0
        self.receiving_bytes = 0
        self.max_connections = CONNECTIONS_MAX
        self.max_request_bytes = REQUEST_BYTES_MAX
        self.max_receiving_bytes = RECEIVING_BYTES_MAX
        self._models = models
        self._shared = shared
        self._management = management
        self._log = log
        self._metrics = metrics
        self._analyzer = Analyzer(models, shared, metrics, service=service)
        self._ids = RequestIds()
        self._tasks: set[asyncio.Task[None]] = set()
        self._analyzing = 0

    def begin(self, exchange: Exchange) -> None:
        """Look at the head: the body of a caller without a key is not kept.

        Raises:
            HttpError: the caller has no valid key.
        """
        if self._key(exchange) is not None or _SLASHES.sub("/", exchange.path) in _OPEN:
            return
        raise HttpError(HTTPStatus.UNAUTHORIZED, NotAuthenticatedError(DENIED), [(b"www-authenticate", b"Bearer")])

    def received(self, exchange: Exchange) -> None:
        """The body is here, or never will be."""

    def run(self, exchange: Exchange) -> None:
        """Answer, now or when the models did."""
        kind = _USUAL.get(exchange.url)
        if kind is not None and exchange.method == "POST" and self._key(exchange) is not None:
            self._analyze(exchange, kind, self._ids.next())
            return
        path = _SLASHES.sub("/", exchange.path)
        if path in _OPEN:
            self._say_state(exchange, path)
            return
        request_id = self._ids.next()
        try:
            asked = self._asked(exchange, path)
            kind = _KINDS.get(asked.path)
            if kind is not None:
                _only(asked, "POST")
                self._analyze(exchange, kind, request_id)
                return
            answer = self._route(asked)
        except WireError as error:
            self._fail(exchange, request_id, error, path)
            return
        task = asyncio.get_running_loop().create_task(self._answer(exchange, request_id, asked, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        exchange.on_gone = task.cancel

    def fail(self, exchange: Exchange, error: HttpError | MopError) -> None:
        """A request that was refused before its body was read."""
        refusal = of_transport(error.error if isinstance(error, HttpError) else error)
        if isinstance(error, HttpError):
            refusal.status, refusal.headers = error.status, tuple(error.headers)
        self._fail(exchange, self._ids.next(), refusal, exchange.path)

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return len(self._tasks) + self._analyzing

    def _asked(self, exchange: Exchange, path: str) -> Asked:
        if path != "/metrics" and not path.startswith(ROOT):
            raise not_found("There is nothing at this address; the routes begin with /contentsafety/.")
        query = _query(exchange.query)
        if path != "/metrics" and query.get("api-version") != [API_VERSION]:
            given = "api-version" in query
            code = "UnsupportedApiVersionValue" if given else "MissingApiVersionParameter"
            raise WireError(HTTPStatus.BAD_REQUEST, code, f"The gateway speaks api-version={API_VERSION}.")
        host = exchange.headers.get(b"host", b"localhost").decode("latin-1")
        scheme = exchange.headers.get(b"x-forwarded-proto", b"http").decode("latin-1")
        base = f"{'https' if scheme == 'https' else 'http'}://{host}"
        below = unquote(path.removeprefix(ROOT))
        key = self._key(exchange)
        if key is None:  # it was rotated while the body came
            raise of_transport(NotAuthenticatedError(DENIED))
        return Asked(exchange.method, below, query, exchange.body, key, base)

    def _key(self, exchange: Exchange) -> int | None:
        """Which of the service's keys was sent."""
        return self._shared.key_number(_secret(exchange.headers))

    def _route(self, asked: Asked) -> Callable[[], Awaitable[Reply]]:
        if asked.path == "/metrics":
            _only(asked, "GET")
            return self._metrics_page
        handler = self._management.handler(asked)

        async def manage() -> Reply:
            status, data = await handler()
            await self._shared.refresh()
            return Reply(status, b"" if data is None else orjson.dumps(data))

        return manage

    def _analyze(self, exchange: Exchange, kind: Kind, request_id: str) -> None:
        """Ask the models; their answer comes to `done`."""
        self._analyzing += 1
        is_done = False

        def done(found: Analysis | Exception) -> None:
            nonlocal is_done
            is_done = True
            self._analyzing -= 1
            if isinstance(found, Analysis):
                self._note(exchange, kind, request_id, OK, found.findings)
                exchange.respond(OK, JSON, found.body, _ids(request_id))
                return
            error = _of_failure(found, request_id)
            self._note(exchange, kind, request_id, int(error.status), {})
            exchange.respond(int(error.status), JSON, error.body(), [*error.all_headers(), *_ids(request_id)])

        try:
            if kind is TEXT:
                give_up = self._analyzer.text(read_text_request(exchange.body), done)
            else:
                give_up = self._analyzer.image(read_image_request(exchange.body), done)
        except Exception as error:
            if is_done:
                raise
            done(error)  # the last handler of a request
        if is_done:
            return
        exchange.body = b""  # what models take was made of it

        def gone() -> None:
            self._analyzing -= 1
            give_up()
            self._note(exchange, kind, request_id, CALLER_GONE, {})

        exchange.on_gone = gone

    def _note(self, exchange: Exchange, kind: Kind, request_id: str, status: int, findings: Found) -> None:
        """Record an analysis, and count it."""
        seconds = time.perf_counter() - exchange.started
        self._log.add(Answered(request_id, kind, status, seconds * 1000, findings))
        self._metrics.requests[OPERATIONS[kind], status] += 1
        self._metrics.latency.observe(seconds)

    async def _answer(
        self, exchange: Exchange, request_id: str, asked: Asked, answer: Callable[[], Awaitable[Reply]]
    ) -> None:
        try:
            reply = await answer()
        except asyncio.CancelledError:
            self._count(exchange, asked.path, CALLER_GONE)
            raise
        except Exception as error:  # noqa: BLE001 - the last handler of a request
            self._fail(exchange, request_id, _of_failure(error, request_id), asked.path)
            return
        self._count(exchange, asked.path, reply.status)
        exchange.respond(reply.status, reply.media_type, reply.body, _ids(request_id))

    def _fail(self, exchange: Exchange, request_id: str, error: WireError, path: str) -> None:
        self._count(exchange, path.removeprefix(ROOT), int(error.status))
        exchange.respond(int(error.status), JSON, error.body(), [*error.all_headers(), *_ids(request_id)])

    def _count(self, exchange: Exchange, path: str, status: int) -> None:
        kind = _KINDS.get(path)
        self._metrics.requests["other" if kind is None else OPERATIONS[kind], status] += 1
        if kind is not None:
            self._metrics.latency.observe(time.perf_counter() - exchange.started)

    async def _metrics_page(self) -> Reply:
        page = self._metrics.text(self._models.routing, connections=self.connections, in_flight=self.in_flight)
        return Reply(HTTPStatus.OK, page.encode(), MEDIA_TYPE.encode())

    def _say_state(self, exchange: Exchange, path: str) -> None:
        if path == "/health" or self._models.is_ready:
            exchange.respond(HTTPStatus.OK, JSON, b'{"status":"alive"}' if path == "/health" else b'{"status":"ready"}')
        else:
            error = WireError(HTTPStatus.SERVICE_UNAVAILABLE, "ServerBusy", "What is live does not run yet.")
            exchange.respond(error.status, JSON, error.body(), error.all_headers())


@functools.lru_cache(maxsize=64)  # nearly all requests have the same
def _query(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        raise invalid(f"The address has more than {QUERY_FIELDS_MAX} parameters.") from None


def _secret(headers: dict[bytes, bytes]) -> str:
    key = headers.get(b"ocp-apim-subscription-key")
    if key is not None:
        return key.decode("latin-1").strip()
    bearer = _BEARER.fullmatch(headers.get(b"authorization", b"").decode("latin-1").strip())
    return bearer[1] if bearer else ""


def _only(asked: Asked, *methods: str) -> None:
    if asked.method not in methods:
        allowed = ", ".join(methods)
        raise WireError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            f"This address takes {allowed}.",
            headers=((b"allow", allowed.encode()),),
        )


def _of_failure(error: Exception, request_id: str) -> WireError:
    if isinstance(error, WireError):
        return error
    if not isinstance(error, MopError):
        # the trace names our own code; its values, and the error's text, could quote the request
        logger.error("request %s failed: %s", request_id, _where(error))
        return internal()
    if error.http_status == HTTPStatus.NOT_FOUND:
        return not_found(error.message)
    if error.http_status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return invalid(error.message)
    return internal()


def _where(error: BaseException) -> str:
    """Type and place of an error, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}"


def _ids(request_id: str) -> list[tuple[bytes, bytes]]:
    text = request_id.encode()
    return [(b"x-ms-request-id", text), (b"apim-request-id", text)]
