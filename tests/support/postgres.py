"""PostgreSQL servers of tests: from Debian's binaries, as an ordinary user, gone with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from support.waiting import wait_for

USER = "nobody"  # any that exists but root: PostgreSQL refuses to run as root
START_SECONDS = 60.0
# what a test's data need not survive costs time
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


class PostgresServer:
    """One server in a folder of its own; it can be stopped and started again, and dies with the tests.

    Not below pytest's temporary folder: every run of pytest closes the way to it for others than its own user.
    """

    def __init__(self) -> None:
        self._data = Path(tempfile.mkdtemp(prefix="mop-pg-", dir="/tmp"))
        self._as_user: tuple[str, ...] = ("setpriv", "--pdeathsig=QUIT")
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(self._data, user.pw_uid, user.pw_gid)
            self._as_user += (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        initdb = ("--auth=trust", "--username=mop", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        self._run(_binary("initdb"), *initdb, str(self._data))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """The address of a database of the server."""
        return f"postgresql://mop@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start the server; returns when it answers."""
        settings = (f"port={self._port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST)
        with (self._data / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user, _binary("postgres"), "-D", str(self._data), *(f"--{one}" for one in settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        wait_for(self._answers, seconds=START_SECONDS, what="PostgreSQL answers", note=(self._data / "log").read_text)

    def stop(self) -> None:
        """Stop the server at once: its clients lose their connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self._data)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended:\n{(self._data / 'log').read_text()}")
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, *argv: str) -> None:
        subprocess.run([*self._as_user, *argv], check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A running server."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def make_database(server: str, name: str) -> str:
    """The address of a new, empty database of the server at the address `server`."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"'.encode())
    return f"{server.rpartition('/')[0]}/{name}"


def _binary(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise AssertionError(f"{name} is missing: install Debian's package postgresql")
    return str(Path(found).resolve())
