"""Telling the workers that something waits for them, so that nobody has to look all the time.

    wake(queue)   from whatever puts work on a queue, once it is committed

On SQLite each worker hears it by a datagram socket of its own in a folder beside the engine's database, on PostgreSQL
by NOTIFY. A wake that is lost costs time and nothing else: see `engine/queue_waits.py`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from mop.deferred import deferred

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = deferred("psycopg")

# what is no queue's name
EVERY_QUEUE = "*"
SCHEDULES = "schedules"
CHANGES = "changes"  # rows changed: periodic work may find something
CHANNEL = "mop_wakes"
SEND_SECONDS = 1.0
LONGEST_NAME = 512

logger = logging.getLogger(__name__)
# what hears wakes in this process, before anybody else does
_here: list[Callable[[str], object]] = []


class Wakes(Protocol):
    """How wakes go from one process to another."""

    def send(self, name: str) -> None:
        """Tell every worker.

        Raises:
            OSError, psycopg.Error: they could not be told.
        """

    def listen(self) -> Iterator[str]:
        """What is sent from now on; first an empty name, once it listens.

        Raises:
            OSError, psycopg.Error: nothing can be heard any more.
        """


def wake(name: str) -> None:
    """Let the workers look at a queue, or at their schedules, now. What goes wrong is logged: they look later."""
    heard(name)
    try:
        transport().send(name)
    except (OSError, psycopg.Error) as error:
        logger.info("the workers could not be woken for %s: %s", name, str(error).strip())


def heard(name: str) -> None:
    """Hand on what another process sent to whatever hears wakes in this one."""
    for hear in _here:
        hear(name)


@contextlib.contextmanager
def hearing_wakes(hear: Callable[[str], object]) -> Iterator[None]:
    """Let `hear` be called with every wake of this process, and of others if somebody listens to them."""
    _here.append(hear)
    try:
        yield
    finally:
        _here.remove(hear)


@functools.cache
def transport() -> Wakes:
    """How wakes travel on this installation."""
    url: str = settings.MOP_ENGINE_URL
    if (database := sqlite_file(url)) is not None:
        return SocketWakes(database.with_name("wakes"))
    return PostgresWakes(url.replace("postgresql+psycopg://", "postgresql://", 1))


def sqlite_file(url: str) -> Path | None:
    """The file of an engine's database on SQLite; None for PostgreSQL."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


class SocketWakes:
    """Datagram sockets, one of each worker that listens, in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, name: str) -> None:
        """Tell every worker; waits a moment for one that has not heard the last ones yet."""
        with self._opened() as address, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(SEND_SECONDS)
            for receiver in Path(address).iterdir():
                try:
                    sender.sendto(name.encode(), str(receiver))
                except ConnectionRefusedError:  # of a worker that was killed
                    receiver.unlink(missing_ok=True)
                except FileNotFoundError:
                    pass  # another sender was first

    def listen(self) -> Iterator[str]:
        """What others send, and what this process sends itself."""
        with self._opened() as address, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(f"{address}/{uuid.uuid4().hex}")
            yield ""
            while True:
                yield receiver.recv(LONGEST_NAME).decode(errors="replace")

    @contextlib.contextmanager
    def _opened(self) -> Iterator[str]:
        """The folder by its descriptor: an address of a socket holds 107 bytes, MOP_HOME may be longer."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)


class PostgresWakes:
    """LISTEN and NOTIFY on the engine's database."""

    CHECK_SECONDS = 30.0  # how long a connection may be silent before it is tried

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._sender: psycopg.Connection | None = None

    def send(self, name: str) -> None:
        """Tell every worker that listens; a connection that broke is made once more."""
        with self._lock:
            try:
                self._notify(name)
            except psycopg.OperationalError:
                self._sender = None
                self._notify(name)

    def listen(self) -> Iterator[str]:
        """What others send, and what this process sends itself."""
        with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            yield ""
            while True:
                for notice in connection.notifies(timeout=self.CHECK_SECONDS):
                    yield notice.payload
                connection.execute("SELECT 1")  # a connection that leads nowhere raises

    def _notify(self, name: str) -> None:
        if self._sender is None or self._sender.closed:
            self._sender = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        self._sender.execute("SELECT pg_notify(%s, %s)", (CHANNEL, name))
