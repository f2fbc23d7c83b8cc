"""Rows through a service, whatever they are for: batches in flight over its address, answers in the order of the rows.

    async for outcome in run_rows(rows, service=service, pace=Pace.of(config)):
        ...                                 # Answered(output) or Unanswered("UserScriptException")

    rows ─► lists ─► at most `lists` requests in flight ─► answers in order ─► you
              │                │ one fails
              │                ▼
              │        its rows one by one, together         a row that raises has no answer, the others have theirs
              │                │ a model process ended or is late
              └───────────────►▼
                       its rows one by one, with nothing else in flight: the row that does it is found

Nobody can tell which row of a batch ended a process, so rows beside it are asked again. A row is asked at least twice
before it has no answer. What is not taken is not read: the consumer sets the pace.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from mop.errors import (
    DeploymentCrashedError,
    DeploymentTimeoutError,
    HostLostError,
    InvalidModelOutputError,
    ModelFault,
    MopError,
    QueueFullError,
    RequestDeadlineError,
    RequestTooLargeError,
    ServiceFault,
    ServiceNotReadyError,
    TooManyConnectionsError,
    from_dict,
)
from mop.serving.http_client import KeptConnection
from mop.serving.service import Service

LIST_BYTES = 4 << 20
LISTS_OF_A_PROCESS = 3  # one is worked on, one stands ready, one is on its way
LEAST_LIST = 32
MOST_LIST = 64
QUICK_SECONDS = 0.25  # a list that is answered within these is quick: the next may be twice as long
QUICK_LISTS = 8  # times as long, at most: many rows in flight keep a quick model at work while its caller is busy
QUICK_ROWS = 900  # in flight at most, so that the queue of a service takes them
READY_SECONDS = 300.0
FULL_WAIT_SECONDS = 0.2
DEADLINES = 4  # the service itself answers within three of its deadlines; later it is lost

# what a list is answered with when a process ended, or when there is none: then no row is to blame yet
_NO_PROCESS = (DeploymentTimeoutError, ServiceNotReadyError)
_ENDS_PROCESSES = (DeploymentCrashedError, RequestDeadlineError, *_NO_PROCESS)
_FULL = (QueueFullError, TooManyConnectionsError)


@dataclass(frozen=True)
class Answered:
    """What the model answered to a row: any JSON."""

    output: Any


@dataclass(frozen=True)
class Unanswered:
    """No answer to a row: the catalogue's name of the reason, and nothing else of it."""

    error: str


Outcome = Answered | Unanswered


@dataclass(frozen=True)
class Pace:
    """How much is in flight.

    Attributes:
        list_items: rows in one request at most.
        lists: requests at once at most.
        list_bytes: bytes of one request at most, but for a single row.
        deadline_s: seconds that the model has for one call.
        quick_items: rows in one request at most, while requests are answered quickly.
    """

    list_items: int
    lists: int
    deadline_s: float
    list_bytes: int = LIST_BYTES
    quick_items: int = 0

    @classmethod
    def of(cls, *, workers: int, batch: int, deadline_s: float) -> Pace:
        """Sized to a service of so many model processes, which take batches of so many items (1: no batching)."""
        most = max(LEAST_LIST, min(MOST_LIST, batch))
        whole = max(1, most // batch) * batch if batch <= most else most
        lists = LISTS_OF_A_PROCESS * workers
        quick = min(QUICK_LISTS, max(1, QUICK_ROWS // (lists * whole)))
        return cls(list_items=whole, lists=lists, deadline_s=deadline_s, quick_items=quick * whole)


class ServiceGaveUpError(Exception):
    """The service starts no model process any more: too many ended. Rows that were given out before are decided."""

    def __init__(self, cause: MopError) -> None:
        super().__init__(cause.name)
        self.cause = cause


_UNDECIDED = (ServiceGaveUpError, HostLostError)


async def run_rows(
    rows: AsyncIterator[bytes], *, service: Service, pace: Pace, form: str = "mop"
) -> AsyncGenerator[Outcome, None]:
    """The outcome of each row, in order. Close it early with `aclosing`, so that what is in flight ends.

    Args:
        rows: each the JSON of one item.
        service: that is ready.
        pace: sized to it.
        form: `mop` or `model`: the format of the items.

    Raises:
        ServiceGaveUpError: a fresh service has to go on with the first row that has no outcome yet.
        HostLostError: the service is lost, likewise.
    """
    async with aclosing(run_lists(rows, service=service, pace=pace, form=form)) as lists:
        async for outcomes in lists:
            for outcome in outcomes:
                yield outcome


async def run_lists(
    rows: AsyncIterator[bytes], *, service: Service, pace: Pace, form: str = "mop"
) -> AsyncGenerator[Sequence[Outcome], None]:
    """As `run_rows`; the outcomes of rows that follow each other come together."""
    runner = _Runner(service, pace, form)
    flying: deque[asyncio.Task[_Decided]] = deque()
    is_over = False
    lists = runner.lists(rows)
    try:
        while not is_over or flying:
            if not is_over and len(flying) < pace.lists:
                items = await anext(lists, None)
                if items is None:
                    is_over = True
                else:
                    flying.append(asyncio.create_task(runner.answers(items)))
                continue
            decided = await flying.popleft()
            yield decided.outcomes
            if decided.cause is not None:
                raise decided.cause
    finally:
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        await lists.aclose()
        runner.close()


@dataclass(frozen=True)
class _Decided:
    """The first rows of a list, as far as they are decided; `cause` is why the others are not."""

    outcomes: Sequence[Outcome]
    cause: Exception | None = None


class _Runner:
    def __init__(self, service: Service, pace: Pace, form: str) -> None:
        self._service = service
        self._pace = pace
        self._headers = {"x-mop-format": form, "x-mop-pace": "series"}
        self._idle: list[KeptConnection] = []
        self._turns = _Turns()
        self._list_items = pace.list_items

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def lists(self, rows: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
        """The rows in lists, each as long as the answers so far allow."""
        items: list[bytes] = []
        size = 0
        async for item in rows:
            if items and (len(items) >= self._list_items or size + len(item) > self._pace.list_bytes):
                yield items
                items, size = [], 0
            items.append(item)
            size += len(item)
        if items:
            yield items

    async def answers(self, items: Sequence[bytes]) -> _Decided:
        """The outcomes of a list of rows."""
        began = time.monotonic()
        try:
            async with self._turns.together():
                outputs = await self._ask(b"[" + b",".join(items) + b"]")
            if not isinstance(outputs, list) or len(outputs) != len(items):
                raise InvalidModelOutputError("There must be one output per item.")
        except _ENDS_PROCESSES:
            self._size_lists(is_quick=False)
            return await _until_given_up(self._alone(item) for item in items)
        except (ModelFault, ServiceFault):
            self._size_lists(is_quick=False)
            return _decided(await asyncio.gather(*(self._single(item) for item in items), return_exceptions=True))
        except HostLostError as error:
            return _Decided((), error)
        self._size_lists(is_quick=time.monotonic() - began < QUICK_SECONDS)
        return _Decided([Answered(output) for output in outputs])

    def _size_lists(self, *, is_quick: bool) -> None:
        """After a quick list the next are twice as long, up to a limit; after another one as long as at the start."""
        longer = min(2 * self._list_items, self._pace.quick_items) if is_quick else 0
        self._list_items = max(longer, self._pace.list_items)

    async def _single(self, item: bytes) -> Outcome:
        """A row by itself, while others are in flight."""
        try:
            async with self._turns.together():
                return Answered(await self._ask_one(item))
        except _ENDS_PROCESSES:
            return await self._alone(item)
        except (ModelFault, ServiceFault) as error:
            return Unanswered(error.name)

    async def _alone(self, item: bytes) -> Outcome:
        """A row with nothing else in flight, so that a process that ends was ended by it."""
        async with self._turns.alone():
            await self._ready()
            try:
                return Answered(await self._ask_one(item))
            except _NO_PROCESS as error:
                raise ServiceGaveUpError(error) from error
            except (ModelFault, ServiceFault) as error:
                return Unanswered(error.name)

    async def _ready(self) -> None:
        """Wait until every lost process is replaced."""
        try:
            await self._service.wait_ready(READY_SECONDS)
        except (ModelFault, ServiceFault) as error:
            raise ServiceGaveUpError(error) from error

    async def _ask_one(self, item: bytes) -> Any:
        # a list of one: an item that is a list itself would be taken for several
        outputs = await self._ask(b"[" + item + b"]")
        if not isinstance(outputs, list) or len(outputs) != 1:
            raise InvalidModelOutputError("There must be one output per item.")
        return outputs[0]

    async def _ask(self, body: bytes) -> Any:
        """What the service answers; a full queue is waited for.

        Raises:
            MopError: what the service answered, as the catalogue's class.
        """
        while True:
            try:
                return await self._ask_once(body)
            except _FULL:
                await asyncio.sleep(FULL_WAIT_SECONDS)

    async def _ask_once(self, body: bytes) -> Any:
        connection = self._idle.pop() if self._idle else KeptConnection(self._service.address)
        try:
            async with asyncio.timeout(DEADLINES * self._pace.deadline_s):
                response = await connection.request("POST", "/score", body=body, headers=self._headers)
        except TimeoutError:
            raise HostLostError("The service did not answer in time.") from None
        self._idle.append(connection)
        if response.status == HTTPStatus.OK:
            return orjson.loads(response.body)
        raise _problem(response.status, response.body)


async def _until_given_up(questions: Iterable[Awaitable[Outcome]]) -> _Decided:
    """One after the other, up to the first that the service cannot decide."""
    outcomes: list[Outcome] = []
    for question in questions:
        try:
            outcomes.append(await question)
        except _UNDECIDED as error:
            return _Decided(outcomes, error)
    return _Decided(outcomes)


def _decided(found: Sequence[Outcome | BaseException]) -> _Decided:
    outcomes: list[Outcome] = []
    for one in found:
        if isinstance(one, _UNDECIDED):
            return _Decided(outcomes, one)
        if isinstance(one, BaseException):
            raise one
        outcomes.append(one)
    return _Decided(outcomes)


def _problem(status: int, body: bytes) -> MopError:
    try:
        return from_dict(orjson.loads(body))
    except (ValueError, AttributeError, KeyError, TypeError):
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return RequestTooLargeError("The row is larger than a request may be.")
        return HostLostError(f"The service answered {status}.")


class _Turns:
    """Many requests together, or one alone. Who wants to be alone goes first, so that it is not kept waiting."""

    def __init__(self) -> None:
        self._flying = 0
        self._waiting = 0
        self._is_alone = False
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        async with self._held(lambda: not self._is_alone and not self._waiting):
            yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._is_alone and not self._flying)
                self._is_alone = True
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            await self._leave(self._leave_alone)

    @asynccontextmanager
    async def _held(self, free: Callable[[], bool]) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(free)
            self._flying += 1
        try:
            yield
        finally:
            await self._leave(self._leave_flying)

    def _leave_alone(self) -> None:
        self._is_alone = False

    def _leave_flying(self) -> None:
        self._flying -= 1

    async def _leave(self, change: Callable[[], None]) -> None:
        change()

        async def tell() -> None:
            async with self._changed:
                self._changed.notify_all()

        await _whole(tell())


async def _whole(work: Awaitable[None]) -> None:
    """Finish, also while being cancelled: others wait to be told."""
    await asyncio.shield(asyncio.ensure_future(work))
