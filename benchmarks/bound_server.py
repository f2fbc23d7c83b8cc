"""The least that can stand between 8 clients and a model: a server that shows how much of a window of 8 any could give.

    python bound_server.py PORT SRC MODEL

The model runs in the server's own process, requests are counted and never parsed, the answer is a constant. A batch
begins when the last of its 8 requests is here, which is when the answers of the one before it have gone out and all
clients have asked again: nothing of that can be hidden behind the model.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import uvloop

CLIENTS = 8
GIVEN_UP_S = 0.05  # the last batch of a run stays small
BODY = b'{"label":1,"score":0.5}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """A request is whole when its JSON is; the start's probe has none."""
        assert self._transport is not None
        if data.startswith(b"GET"):
            self._transport.write(ANSWER)
        elif data.endswith(b"}"):
            self._batch.add(self._transport)


class Batch:
    """Those who wait for the model."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._waiting: list[asyncio.Transport] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, client: asyncio.Transport) -> None:
        """One more; the last one starts it."""
        self._waiting.append(client)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GIVEN_UP_S, self._run)
        if len(self._waiting) == CLIENTS:
            self._run()

    def _run(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._model.inference_batch([{}] * len(self._waiting))
        for client in self._waiting:
            client.write(ANSWER)
        self._waiting.clear()


async def main() -> None:
    """Serve until it is ended."""
    port, src, root = sys.argv[1:]
    sys.path.insert(0, src)
    from inference import Wrapper  # type: ignore[import-not-found]  # noqa: PLC0415 - the model's own

    model = Wrapper()
    model.init(root)
    batch = Batch(model)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(batch), "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
