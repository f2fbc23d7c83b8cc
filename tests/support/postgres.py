"""PostgreSQL servers of tests: from Debian's binaries, as an ordinary user, gone with the tests.

Each begins as a copy of one that was made once in a run, with two databases to make others from: `TABLES` has MOP's
tables, `PREPARED` people and tasks too. Making and migrating them anew takes many seconds of CPU.
"""

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

from support.made_once import made_once
from support.setups import set_up
from support.waiting import wait_for

TABLES, PREPARED = "mop_tables", "mop_prepared"
CLUSTER, HOME, PEOPLE = "cluster", "home", "people.json"
USER = "nobody"  # any that exists but root: PostgreSQL refuses to run as root
START_SECONDS = 180.0  # on a machine with much other work
# what a test's data need not survive costs time
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


class PostgresServer:
    """One server in a folder of its own; it can be stopped and started again, and dies with the tests.

    Not below pytest's temporary folder: every run of pytest closes the way to it for others than its own user.

    Args:
        empty: without the databases to make others from.
        data: what another one wrote by `copy_to`, to begin with.
    """

    def __init__(self, *, empty: bool = False, data: Path | None = None) -> None:
        self._data = Path(tempfile.mkdtemp(prefix="mop-pg-", dir="/tmp"))
        self._as_user: tuple[str, ...] = ("setpriv", "--pdeathsig=QUIT")
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(self._data, user.pw_uid, user.pw_gid)
            self._as_user += (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        if empty:
            initdb = ("--auth=trust", "--username=mop", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
            self._run(_binary("initdb"), *initdb, str(self._data))
        else:
            copy_folder(data or prepared_cluster() / CLUSTER, self._data)
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

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server, at once if not told otherwise: its clients lose their connections."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self._data)

    def copy_to(self, folder: Path) -> None:
        """Copy its data; it must have been stopped with SIGINT, which leaves nothing to recover."""
        copy_folder(self._data, folder)

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


def make_database(server: str, name: str, *, template: str = "template1") -> str:
    """The address of a new database of the server at the address `server`, empty if `template` is."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"'.encode())
    return f"{server.rpartition('/')[0]}/{name}"


def prepared_cluster() -> Path:
    """A folder with the data of a server, and with home and people of its database `PREPARED`."""
    return made_once("postgresql", _make_cluster)


def _make_cluster(folder: Path) -> None:
    folder.mkdir()
    server = PostgresServer(empty=True)
    try:
        server.start()
        set_up(folder / HOME, "tables", MOP_DATABASE_URL=make_database(server.url(), TABLES))
        make_database(server.url(), PREPARED, template=TABLES)
        (folder / PEOPLE).write_text(set_up(folder / HOME, MOP_DATABASE_URL=server.url(PREPARED)))
        server.stop(signal.SIGINT)
        server.copy_to(folder / CLUSTER)
    finally:
        server.remove()


def copy_folder(source: Path, target: Path) -> None:
    """Copy with owners and modes; `target` may be there, empty."""
    subprocess.run(["cp", "--archive", "--no-target-directory", source, target], check=True)


def _binary(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise AssertionError(f"{name} is missing: install Debian's package postgresql")
    return str(Path(found).resolve())
