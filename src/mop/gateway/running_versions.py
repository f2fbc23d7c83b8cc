"""Versions that run for a gateway, each in a service of its own in the cage, whatever number of releases name it.

A service that ends is started again. What its model prints is thrown away, and of its errors the names alone are told:
they could quote what callers send.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

import orjson

from mop.engine.database import in_database
from mop.errors import MopError, ServiceNotReadyError, from_dict
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
_HEADERS = {kind: f"content-type: application/json\r\nx-mop-format: {kind.form}\r\n" for kind in Kind}

logger = logging.getLogger(__name__)


class RunningVersion(Protocol):
    """A version that was told to run."""

    @property
    def is_ready(self) -> bool:
        """Whether it answers now."""

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

    Args:
        address: `unix:/path/of/socket` or `http://host:port`.
    """

    def __init__(self, address: str) -> None:
        self._client = ServiceClient(address)

    def ask(self, kind: Kind, item: bytes) -> asyncio.Future[Findings]:
        """What it finds in an item; asked at once, awaited or not.

        Raises:
            MopError: it did not answer.
        """
        answer: asyncio.Future[Findings] = asyncio.get_running_loop().create_future()
        sent = self._client.post("/score", item, _HEADERS[kind])

        def take(sent: asyncio.Future[Response]) -> None:
            if answer.done() or sent.cancelled():
                return
            error = sent.exception()
            if error is None:
                _resolve(answer, sent.result())
            else:
                answer.set_exception(error)

        sent.add_done_callback(take)
        answer.add_done_callback(lambda answer: sent.cancel() if answer.cancelled() else None)
        return answer

    def close(self) -> None:
        """Nothing is asked any more; what was asked is still answered."""
        self._client.close()


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
            self._asked = asked = AskedService(hosted.service.address)
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


def _resolve(answer: asyncio.Future[Findings], response: Response) -> None:
    try:
        data = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        answer.set_exception(MopError(f"The model's service answered {response.status} without JSON."))
        return
    if response.status == HTTPStatus.OK:
        answer.set_result(data)
    else:
        answer.set_exception(from_dict(data))


def _thrown_away(_line: str) -> None:
    """Drop what the service and its model write."""
