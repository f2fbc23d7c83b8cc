"""Versions that run for a gateway, each in a service of its own in the cage, whatever number of releases name it.

A service that ends is started again. What its model prints is thrown away, and of its errors the names alone are told:
they could quote what callers send.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import orjson

from mop.engine.database import in_database
from mop.errors import (
    DeploymentCrashedError,
    MopError,
    ServiceNotReadyError,
    from_dict,
)
from mop.gateway.categories import Kind
from mop.gateway.live_models import Findings
from mop.gateway.service_client import ServiceClient
from mop.hosting.jobs import RevisionJob, job_of
from mop.hosting.service import revision_service
from mop.registry.models import Revision
from mop.serving.disclosure import Disclosure
from mop.serving.http_client import Response

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
GATHERED_BYTES_MAX = 1 << 15  # of one item; images are read whole by the model's process, not by the front
_ITEM = re.compile(r"item (\d+)")  # the place of an error in a list, as `mop.serving.calls` names it
_HEADERS = {kind: f"content-type: application/json\r\nx-mop-format: {kind.form}\r\n" for kind in Kind}

logger = logging.getLogger(__name__)


class RunningVersion(Protocol):
    """A version that was told to run."""

    @property
    def is_ready(self) -> bool:
        """Whether it answers now."""

    @property
    def together(self) -> int:
        """Items that it works on at once; 1 if it takes each by itself, or does not run."""

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item; asked at once, awaited or not.

        Raises:
            MopError: it did not answer.
        """

    async def stop(self) -> None:
        """End it; nothing is asked of it any more."""


StartVersion = Callable[[uuid.UUID, str], RunningVersion]
"""Starts a version, given its id and what it is called."""


class AskedService:
    """A service of a version, asked what it finds.

    Items that come together go to it together, in one request: each of its own would cost the system calls of a
    connection on both sides, and a service that is free would begin with the first one alone, which takes a model as
    long as a batch.

    Args:
        address: `unix:/path/of/socket` or `http://host:port`.
        together: items of one request at most; no more than a batch of the model, so that none waits for others' work.

    Attributes:
        together: as given.
    """

    def __init__(self, address: str, *, together: int = 1) -> None:
        self._client = ServiceClient(address)
        self._loop = asyncio.get_running_loop()
        self.together = together
        self._gathered: dict[Kind, list[_Item]] = {kind: [] for kind in Kind}

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item; asked at once, awaited or not.

        Raises:
            MopError: it did not answer.
        """
        asked = _Item(item, self._loop.create_future())
        if self.together == 1 or len(item) > GATHERED_BYTES_MAX:
            self._send(kind, [asked])
        else:
            gathered = self._gathered[kind]
            gathered.append(asked)
            if len(gathered) == 1:  # until what can be read now was read
                self._loop.call_soon(self._send_gathered, kind)
        return asked.answer

    def _send_gathered(self, kind: Kind) -> None:
        gathered, self._gathered[kind] = self._gathered[kind], []
        waiting = [one for one in gathered if not one.answer.done()]
        for begin in range(0, len(waiting), self.together):
            self._send(kind, waiting[begin : begin + self.together])

    def _send(self, kind: Kind, items: list[_Item]) -> None:
        body = items[0].body if len(items) == 1 else b"[" + b",".join(one.body for one in items) + b"]"
        sent = self._client.post("/score", body, _HEADERS[kind])
        left = len(items)

        def give_up(answer: asyncio.Future[Findings]) -> None:
            nonlocal left
            left -= 1
            if left == 0 and answer.cancelled():
                sent.cancel()

        def take(sent: asyncio.Future[Response]) -> None:
            if not sent.cancelled():
                self._resolve(kind, items, sent)

        sent.add_done_callback(take)
        for one in items:
            one.answer.add_done_callback(give_up)

    def _resolve(self, kind: Kind, items: list[_Item], sent: asyncio.Future[Response]) -> None:
        error = sent.exception() or _error_of(sent.result())
        found: Any = None if error is not None else orjson.loads(sent.result().body)
        place_of_error = _item_of(error) if error is not None and len(items) > 1 else None
        waiting = [(place, one) for place, one in enumerate(items) if not one.answer.done()]
        for place, one in waiting:
            if error is None:
                one.answer.set_result(found if len(items) == 1 else found[place])
            elif place_of_error in (None, place):
                one.answer.set_exception(error)
            else:  # another one's
                self._send(kind, [one])

    def close(self) -> None:
        """Nothing is asked any more; what was asked is still answered."""
        self._client.close()


class _Item(NamedTuple):
    """What is asked, and the future of its answer."""

    body: bytes
    answer: asyncio.Future[Findings]


class HostedVersion:
    """A version in the cage of this host.

    Args:
        revision_id: of the version.
        label: model and version, for people.
        owner: for whom it runs.
    """

    def __init__(self, revision_id: uuid.UUID, label: str, *, owner: str) -> None:
        self._revision_id = revision_id
        self._label = label
        self._owner = owner
        self._asked: AskedService | None = None
        self._stopping = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def is_ready(self) -> bool:
        """Whether it answers now."""
        return self._asked is not None

    @property
    def together(self) -> int:
        """Items that it works on at once; 1 if it takes each by itself, or does not run."""
        return 1 if self._asked is None else self._asked.together

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item; asked at once, awaited or not.

        Raises:
            MopError: it did not answer.
        """
        if self._asked is None:
            answer: asyncio.Future[Findings] = asyncio.get_running_loop().create_future()
            answer.set_exception(ServiceNotReadyError(f"{self._label} does not run at present."))
            return answer
        return self._asked.ask(kind, item)

    async def stop(self) -> None:
        """End it; nothing is asked of it any more."""
        self._stopping.set()
        if self._asked is None:  # it is on its way up, which may wait for room for half an hour
            self._running.cancel()
        await asyncio.wait({self._running})

    async def _run(self) -> None:
        """Keep it running until it is stopped."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                pause = await self._serve(pause)
            except MopError as error:
                logger.warning("%s does not run: %s", self._label, error.name)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may succeed
                logger.error("%s does not run: %s", self._label, type(error).__name__)  # noqa: TRY400 - as above
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    async def _serve(self, pause: float) -> float:
        """One life of the service; gives the pause before the next."""
        job = await in_database(self._job)()
        async with revision_service(job, log=_thrown_away) as hosted:
            batch = job.spec.configuration.batch
            together = batch.max_size if batch.enabled else 1
            self._asked = asked = AskedService(hosted.service.address, together=together)
            logger.info("%s runs", self._label)
            try:
                ended = asyncio.ensure_future(hosted.service.ended())
                stopping = asyncio.ensure_future(self._stopping.wait())
                await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
                stopping.cancel()
            finally:
                self._asked = None
                asked.close()
        if not self._stopping.is_set():
            logger.warning("%s ended", self._label)
            return FIRST_PAUSE_SECONDS
        return pause

    def _job(self) -> RevisionJob:
        revision = Revision.objects.select_related("model").get(pk=self._revision_id)
        job = job_of(revision, name=self._label, owner=self._owner)
        return replace(job, spec=replace(job.spec, disclosure=Disclosure.NAMES, sample=None))


def _item_of(error: BaseException) -> int | None:
    """Which item of a list an error is about; None where it is about all, as the end of a model's process is."""
    if not isinstance(error, MopError) or isinstance(error, DeploymentCrashedError):
        return None
    found = _ITEM.match(error.place or "")
    return int(found[1]) if found else None


def _error_of(response: Response) -> MopError | None:
    if response.status == HTTPStatus.OK:
        return None
    try:
        return from_dict(orjson.loads(response.body))
    except orjson.JSONDecodeError:
        return MopError(f"The model's service answered {response.status} without JSON.")


def _thrown_away(_line: str) -> None:
    """Drop what the service and its model write."""
