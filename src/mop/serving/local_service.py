"""A service whose front is a child of this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mop.errors import DeploymentTimeoutError, HostLostError, MopError, ServiceNotReadyError, from_dict
from mop.serving.disclosure import WITHHELD, Disclosure
from mop.serving.http_client import Response, request
from mop.serving.leases import LeaseFolder
from mop.serving.meters import ProcessTree, cpus_of
from mop.serving.service import Converted, UsageSample

LINES_IN_MEMORY = 20_000
LINES_IN_ERROR = 15
REASON_CHARACTERS = 300
READY_WAIT_S = 20.0
STOP_GRACE_S = 5.0


class LocalService:
    """The owner's end: HTTP over the socket, the log from the front's output, the lease by the pipe to its input.

    Of a service that discloses names alone the log stays empty, the front's own lines included: how often its model
    ended, and when, can tell what the model saw.
    """

    def __init__(
        self,
        front: asyncio.subprocess.Process,
        leases: LeaseFolder,
        folder: Path,
        meter: Callable[[], UsageSample],
        disclosure: Disclosure = Disclosure.FULL,
    ) -> None:
        self.address = ""
        self._disclosure = disclosure
        self._meter = meter
        self._front = front
        self._leases = leases
        self._folder = folder
        self._lines: deque[str] = deque(maxlen=LINES_IN_MEMORY)
        self._lines_seen = 0
        self._listening = asyncio.Event()
        self._reading = asyncio.get_running_loop().create_task(self._read_output())

    async def configure(self, config: bytes) -> None:
        """Hand the configuration over and wait until the front listens."""
        await self._tell(config)
        await self._listening.wait()
        if not self.address:
            lines = "\n".join(self.log_lines(0)[-LINES_IN_ERROR:])
            raise HostLostError("The service's front did not start" + (f":\n{lines}" if lines else "."))

    async def wait_ready(self, timeout: float) -> None:  # noqa: ASYNC109 - the service itself is told how long
        """Return when the service can answer.

        Raises:
            MopError: why it cannot, as the catalogue's class; DeploymentTimeoutError after `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while True:
            wait = max(0.0, min(READY_WAIT_S, end - time.monotonic()))
            response = await self._request("GET", f"/ready?wait={wait:.3f}")
            try:
                _raise_problem(response)
            except ServiceNotReadyError:
                if time.monotonic() >= end:
                    raise DeploymentTimeoutError(f"The model was not ready within {timeout:g} s.") from None
                continue
            return

    async def ended(self) -> str:
        """Return when the front has ended: its status, and what it wrote last."""
        status = await self._front.wait()
        if self._disclosure is Disclosure.NAMES:
            return "its front ended"
        await asyncio.wait({self._reading}, timeout=STOP_GRACE_S)
        last = " ".join(self.log_lines(0)[-1:])
        return f"its front ended with status {status}" + (f", and wrote last: {last}" if last else "")

    async def score(self, payload: Any, *, mop: bool) -> Any:
        """The output for an item, or the outputs for a list of items.

        Raises:
            MopError: what the service answered, as the catalogue's class.
        """
        return await self._score(payload, "mop" if mop else "model")

    async def model_input(self, mop_input: Any) -> Converted:
        """What the model's own converter makes of a MOP input.

        Raises:
            MopError: what the service answered, as the catalogue's class.
        """
        answer = await self._score(mop_input, "convert")
        if "model_input" in answer:
            return Converted(orjson.dumps(answer["model_input"]))
        reason = str(answer["not_json"])[:REASON_CHARACTERS] if self._disclosure is Disclosure.FULL else WITHHELD
        return Converted(None, reason)

    async def acs_findings(self, item: Mapping[str, str]) -> Any:
        """What the model finds in a request of Azure AI Content Safety.

        Raises:
            MopError: what the service answered, as the catalogue's class.
        """
        return await self._score(item, "acs-text" if "text" in item else "acs-image")

    def usage(self) -> UsageSample:
        """What the model has used up to now; the front is no part of it."""
        return self._meter()

    def host_cpus(self) -> frozenset[int]:
        """The CPUs that the model's processes may run on."""
        return frozenset(cpus_of(ProcessTree(self._front.pid, below=True).pids()))

    async def _score(self, payload: Any, form: str) -> Any:
        response = await self._request("POST", "/score", orjson.dumps(payload), {"x-mop-format": form})
        _raise_problem(response)
        return orjson.loads(response.body)

    async def _request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        return await request(self.address, method, path, body=body, headers=headers)

    def log_lines(self, after: int) -> list[str]:
        """The lines from number `after` on (0: the first); of very many only the newest are kept."""
        first = self._lines_seen - len(self._lines)
        return [line for number, line in enumerate(self._lines, first) if number >= after]

    @property
    def log_count(self) -> int:
        """Lines so far: the next `after`."""
        return self._lines_seen

    async def renew(self) -> None:
        """Keep the lease for another time to live."""
        with contextlib.suppress(FileNotFoundError):
            self._leases.renew(self._folder)
        await self._tell(b"renew")

    async def stop(self) -> None:
        """Let requests in flight finish for a moment, then end everything and remove the folder."""
        if self._front.returncode is None:
            self._front.terminate()
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await self._front.wait()
        except TimeoutError:
            await self._end_lease()
        finally:
            await self._clear_away()

    async def abort(self) -> None:
        """End everything at once, requests in flight too, and remove the folder."""
        try:
            await self._end_lease()
        finally:
            await self._clear_away()

    async def _clear_away(self) -> None:
        await kill_and_reap(self._front)
        self._leases.remove(self._folder)
        await self._reading

    async def _end_lease(self) -> None:
        """The front stops its model processes at once."""
        if self._front.stdin is not None:
            self._front.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_GRACE_S):
                await self._front.wait()

    async def _tell(self, line: bytes) -> None:
        pipe = self._front.stdin
        if pipe is None:
            raise RuntimeError("the front was started without a pipe")
        with contextlib.suppress(ConnectionError):
            pipe.write(line + b"\n")
            await pipe.drain()

    async def _read_output(self) -> None:
        pipe = self._front.stdout
        if pipe is None:
            raise RuntimeError("the front was started without a pipe")
        async for data in pipe:
            self._take(data.decode("utf-8", "replace").rstrip("\n"))
        self._listening.set()

    def _take(self, line: str) -> None:
        if not self.address and line.startswith('{"event":"listening"'):
            self.address = orjson.loads(line)["address"]
            self._listening.set()
            return
        if self._disclosure is Disclosure.FULL:
            self._lines.append(line)
            self._lines_seen += 1


async def kill_and_reap(front: asyncio.subprocess.Process) -> None:
    """SIGKILL for the front's group; its model processes follow by their parent-death signal."""
    if front.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(front.pid, signal.SIGKILL)
    await front.wait()


def _raise_problem(response: Response) -> None:
    if response.status < 400:  # noqa: PLR2004 - HTTP's classes
        return
    try:
        error = from_dict(orjson.loads(response.body))
    except (ValueError, AttributeError):
        error = MopError(f"The service answered {response.status}.")
    raise error
