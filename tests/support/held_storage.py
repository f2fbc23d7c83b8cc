"""A blob storage that holds its answers back until a test lets it go: the moment in which a snapshot is killed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.fault_server import FaultServer, Reply, Request


class HeldStorage:
    """`FaultServer` in a thread of its own; while `held`, the body of a blob never comes."""

    def __init__(self) -> None:
        self.held = False
        self.waiting = threading.Event()
        self._server = FaultServer()
        self._server.fault = self._hold
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    @property
    def accounts(self) -> str:
        """The installation's option of that name."""
        return json.dumps([{"name": "account", "endpoint": self._server.endpoint, "anonymous": True}])

    def add(self, folder: Path) -> str:
        """Put a local folder into the storage; gives its url."""
        for path in folder.rglob("*"):
            if path.is_file():
                self._server.blobs[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
        return f"{self._server.endpoint}/container/{folder.name}"

    def start(self) -> None:
        """Serve."""
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Stop serving."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._server:
            self._ready.set()
            await self._closing.wait()

    def _hold(self, request: Request) -> Reply | None:
        if request.is_listing or not self.held:
            return None
        self.waiting.set()
        # the head is right: a wrong one is refused at once, sometimes before the test has killed the reader
        return self._server.honest(request, body_sent=0, stall=True)


@contextmanager
def held_storage() -> Iterator[HeldStorage]:
    """A storage for the block."""
    storage = HeldStorage()
    storage.start()
    try:
        yield storage
    finally:
        storage.close()
