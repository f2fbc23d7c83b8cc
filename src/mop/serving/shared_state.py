"""What the workers of one gunicorn service know of each other: a slot each in memory that all of them share.

A caller is answered by the worker that took its connection, and asks for the whole service: is it ready, has it failed?
"""

from __future__ import annotations

import asyncio
import mmap

import orjson

from mop.errors import MopError, from_dict

STARTED, FAILED = 0, 1  # bytes of the service
SLOTS = 2
FAILURE_BYTES = 1 << 18  # untouched memory costs nothing
MESSAGE_CHARACTERS = 4000
POLL_S = 0.05


class SharedState:
    """Made before the workers are forked. Each worker writes its own slot alone, byte by byte: nothing is locked."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._failures = SLOTS + workers
        self._memory = mmap.mmap(-1, self._failures + workers * FAILURE_BYTES)

    def set_ready(self, slot: int, *, ready: bool) -> None:
        """Whether the worker's model process can answer now."""
        self._memory[SLOTS + slot] = ready
        if self.ready_count == self._workers:
            self._memory[STARTED] = 1

    def set_failure(self, slot: int, error: MopError) -> None:
        """The worker will never answer again, and with it the service has failed."""
        text = orjson.dumps(error.to_dict())
        if len(text) >= FAILURE_BYTES:
            text = orjson.dumps({**error.to_dict(), "message": error.message[:MESSAGE_CHARACTERS], "also": []})
        start = self._failures + slot * FAILURE_BYTES
        self._memory[start : start + len(text)] = text
        self._memory[FAILED] = slot + 1  # last: a reader that sees it finds the text complete

    @property
    def ready(self) -> bool:
        """Whether a model process can answer now, after all were up once."""
        return self.started and self.ready_count > 0

    @property
    def started(self) -> bool:
        """Whether all model processes were up once."""
        return self._memory[STARTED] == 1

    @property
    def ready_count(self) -> int:
        """Model processes that loaded the model."""
        return sum(self._memory[SLOTS : SLOTS + self._workers])

    @property
    def failure(self) -> MopError | None:
        """Why the service will never answer again."""
        slot = self._memory[FAILED]
        if slot == 0:
            return None
        start = self._failures + (slot - 1) * FAILURE_BYTES
        return from_dict(orjson.loads(self._memory[start : start + FAILURE_BYTES].rstrip(b"\0")))

    async def changed(self) -> None:
        """Wait a moment: other workers' slots send no events. Only callers of `/ready?wait=` wait so."""
        await asyncio.sleep(POLL_S)
