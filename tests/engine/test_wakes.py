"""Wakes from one process to another, over the real socket and the real database."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import psycopg
import pytest

from mop.engine.wakes import PostgresWakes, SocketWakes, Wakes, heard, hearing_wakes
from support.postgres import PostgresServer, running_postgres

PATIENCE = 30.0


class Listener:
    """Listens in a thread; `next()` is what it heard."""

    def __init__(self, wakes: Wakes) -> None:
        self._heard: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._run, args=(wakes,), daemon=True).start()
        assert self.next() == ""  # it listens

    def next(self) -> str:
        return self._heard.get(timeout=PATIENCE)

    def _run(self, wakes: Wakes) -> None:
        with contextlib.suppress(psycopg.OperationalError):  # its server stops
            for name in wakes.listen():
                self._heard.put(name)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def deep_folder(tmp_path: Path) -> Path:
    """Deeper than the address of a socket may be long."""
    folder = tmp_path.joinpath(*["a-folder-of-some-length"] * 8)
    folder.mkdir(parents=True)
    return folder


def test_a_worker_hears_by_its_socket_what_others_send(deep_folder: Path):
    listener = Listener(SocketWakes(deep_folder / "wakes"))
    for name in ("pipeline", "schedules", "ünïcode"):
        SocketWakes(deep_folder / "wakes").send(name)
        assert listener.next() == name


def test_more_wakes_than_a_socket_holds_all_arrive(deep_folder: Path):
    listener = Listener(SocketWakes(deep_folder / "wakes"))
    sender = SocketWakes(deep_folder / "wakes")
    names = [f"queue-{number}" for number in range(2000)]
    for name in names:
        sender.send(name)
    assert [listener.next() for _ in names] == names


def test_every_worker_of_the_host_hears_it(deep_folder: Path):
    listeners = [Listener(SocketWakes(deep_folder / "wakes")) for _ in range(3)]
    SocketWakes(deep_folder / "wakes").send("pipeline")
    assert [listener.next() for listener in listeners] == ["pipeline"] * 3


def test_nobody_else_may_send(deep_folder: Path):
    Listener(SocketWakes(deep_folder / "wakes"))
    assert (deep_folder / "wakes").stat().st_mode & 0o777 == 0o700


def test_without_a_worker_a_wake_is_nothing(deep_folder: Path):
    SocketWakes(deep_folder / "wakes").send("pipeline")
    assert list((deep_folder / "wakes").iterdir()) == []


def test_the_socket_of_a_killed_worker_is_removed(deep_folder: Path, monkeypatch: pytest.MonkeyPatch):
    folder = deep_folder / "wakes"
    listener = Listener(SocketWakes(folder))
    (living,) = folder.iterdir()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind("killed")
    SocketWakes(folder).send("pipeline")
    assert listener.next() == "pipeline"
    assert list(folder.iterdir()) == [living]


def test_every_worker_hears_what_is_notified(server: PostgresServer):
    listeners = [Listener(PostgresWakes(server.url())) for _ in range(2)]
    PostgresWakes(server.url()).send("pipeline")
    assert [listener.next() for listener in listeners] == ["pipeline", "pipeline"]


def test_a_sender_whose_connection_broke_connects_again(server: PostgresServer):
    sender = PostgresWakes(server.url())
    sender.send("pipeline")
    server.stop()
    server.start()
    listener = Listener(PostgresWakes(server.url()))
    sender.send("scans")
    assert listener.next() == "scans"


def test_what_hears_in_a_process_is_told_until_it_stops_listening():
    told: list[str] = []
    with hearing_wakes(told.append):
        heard("pipeline")
    heard("scans")
    assert told == ["pipeline"]
