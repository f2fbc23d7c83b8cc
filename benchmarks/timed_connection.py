"""A connection of a benchmark's clients whose requests have a time at which they are due."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

import httptools

R = TypeVar("R")


class TimedConnection(asyncio.Protocol, Generic[R]):
    """One keep-alive connection with one request at a time, of a run that notes the answers."""

    def __init__(self, run: R) -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = transport

    def send(self, request: bytes, due: float) -> None:
        """One request."""
        self._due = due
        self._transport.write(request)

    def close(self) -> None:
        """The run is over."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)
