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
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol

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
from mop.gateway.service_client import Request, ServiceClient, head_of
from mop.hosting.jobs import RevisionJob, job_of
from mop.hosting.service import revision_service
from mop.registry.models import Revision
from mop.serving.disclosure import Disclosure
from mop.serving.http_client import Response

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
GATHERED_BYTES_MAX = 1 << 15  # of one item; images are read whole by the model's process, not by the front
_ITEM = re.compile(r"item (\d+)")  # the place of an error in a list, as `mop.serving.calls` names it
_HEADS = {kind: head_of("/score", f"content-type: application/json\r\nx-mop-format: {kind.form}\r\n") for kind in Kind}

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
        self._gathered: dict[Kind, list[_Asked]] = {kind: [] for kind in Kind}

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item; asked at once, awaited or not.

        Raises:
            MopError: it did not answer.
        """
        asked = _Asked(item, self._loop)
        if self.together == 1 or len(item) > GATHERED_BYTES_MAX:
            self._send(kind, [asked])
        else:
            gathered = self._gathered[kind]
            gathered.append(asked)
            if len(gathered) == 1:  # until what can be read now was read
                self._loop.call_soon(self._send_gathered, kind)
        return asked

    def _send_gathered(self, kind: Kind) -> None:
        gathered, self._gathered[kind] = self._gathered[kind], []
        waiting = [one for one in gathered if not one.done()]
        for begin in range(0, len(waiting), self.together):
            self._send(kind, waiting[begin : begin + self.together])

    def _send(self, kind: Kind, items: list[_Asked]) -> None:
        body = items[0].body if len(items) == 1 else b"[%b]" % b",".join([one.body for one in items])
        group = _Group(len(items))
        for one in items:
            one.group = group

        def answered(answer: Response | MopError) -> None:
            self._resolve(kind, items, answer)

        group.request = self._client.post(_HEADS[kind], body, answered)

    def _resolve(self, kind: Kind, items: list[_Asked], answer: Response | MopError) -> None:
        try:
            found = _found(answer, len(items))
        except MopError as failure:
            error = failure
        else:
            for one, findings in zip(items, found, strict=True):
                if not one.done():
                    one.set_result(findings)
            return
        place_of_error = _item_of(error) if len(items) > 1 else None
        for place, one in enumerate(items):
            if one.done():
                continue
            if place_of_error in (None, place):
                one.set_exception(error)
            else:  # another one's
                self._send(kind, [one])

    def close(self) -> None:
        """Nothing is asked any more; what was asked is still answered."""
        self._client.close()


class _Asked(asyncio.Future[Findings]):
    """An item that is asked, and the future of its answer."""

    def __init__(self, body: bytes, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.body = body
        self.group: _Group | None = None

    def cancel(self, msg: Any = None) -> bool:
        """Nobody waits for it; when nobody waits for any item of its request, that ends."""
        is_cancelled = super().cancel(msg)
        if is_cancelled and self.group is not None:
            self.group.left -= 1
            if self.group.left == 0 and self.group.request is not None:
                self.group.request.give_up()
        return is_cancelled


@dataclass(slots=True)
class _Group:
    """Items that went in one request; `left` counts those whose callers did not give up."""

    left: int
    request: Request | None = None


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


def _found(answer: Response | MopError, count: int) -> list[Findings]:
    """What was found in each of so many items.

    Raises:
        MopError: the service did not answer, or with an error.
    """
    if isinstance(answer, MopError):
        raise answer
    try:
        data = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise MopError(f"The model's service answered {answer.status} without JSON.") from None
    if answer.status != HTTPStatus.OK:
        raise from_dict(data)
    found = [data] if count == 1 else data
    if not isinstance(found, list) or len(found) != count:
        raise MopError("The model's service answered something else than was asked.")
    return found


def _thrown_away(_line: str) -> None:
    """Drop what the service and its model write."""
