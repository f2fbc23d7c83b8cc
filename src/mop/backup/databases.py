"""The two databases of an installation, copied as they were at one moment.

MOP's database holds what is true, the engine's holds what still has to run; a copy is of use only when neither is ahead
of the other. `pinned` stops the writers of MOP's database for a few milliseconds and begins a read transaction in both:
whatever the engine recorded by then follows from statuses that are in the copy, and the other way round. Both are then
copied from those transactions while work goes on. The copy is what a power cut at that moment would have left, and a
worker that starts on it does what it does after a power cut.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from mop.backup.postgres_tools import run_tool
from mop.errors import BackupRefusedError, DiskFullError, PlatformFault

BUSY_SECONDS = 30.0
LOCK_TRIES = 6
MOP, ENGINE = "mop", "engine"
# every change of a status writes this table first
STATUS_TABLE = "registry_revision"


class Pinned(Protocol):
    """A database as it was at one moment."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query at that moment."""

    def copy(self, target: Path) -> None:
        """Write a copy of that moment to a new file."""


class Database(Protocol):
    @property
    def name(self) -> str:
        """`mop` or `engine`."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""

    def quiet(self) -> contextlib.AbstractContextManager[None]:
        """No status is committed within the block."""

    def pin(self) -> contextlib.AbstractContextManager[Pinned]:
        """The database as it is now, for as long as the block lasts."""


@dataclass(frozen=True)
class SqliteDatabase:
    """A database file of this host."""

    name: str
    path: Path
    kind: str = "sqlite"

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Hold the one write lock of the file."""
        with contextlib.closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def pin(self) -> Iterator[Pinned]:
        """A read transaction; its snapshot is taken by the first read."""
        with contextlib.closing(self._connect()) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield _PinnedSqlite(connection)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


@dataclass(frozen=True)
class _PinnedSqlite:
    connection: sqlite3.Connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def copy(self, target: Path) -> None:
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
            try:
                self.connection.backup(copy)
                (answer,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise DiskFullError(f"No room for the copy of {target.name} in {target.parent.parent}.") from error
                raise PlatformFault(f"{target.name} cannot be copied: {error}", hint="Check the disk.") from error
        if answer != "ok":
            raise PlatformFault(
                f"The copy {target.name} is damaged: {answer}", hint="Check the disk; then run the backup again."
            )


@dataclass(frozen=True)
class PostgresDatabase:
    """A database of a PostgreSQL server; the password travels in the environment of its tools, never in an argv."""

    name: str
    host: str
    port: str
    user: str
    password: str
    database: str
    kind: str = "postgresql"

    @classmethod
    def of_url(cls, name: str, url: str) -> PostgresDatabase:
        """The database of `postgresql://user:password@host:port/name`, with or without `+psycopg`."""
        parts = urlsplit(url)
        return cls(
            name=name,
            host=unquote(parts.hostname or ""),
            port=str(parts.port or ""),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=unquote(parts.path[1:]),
        )

    @property
    def shown(self) -> str:
        return f"the database {self.database} at {self.host or 'this host'}"

    def same_as(self, other: PostgresDatabase) -> bool:
        return (self.host, self.port, self.database) == (other.host, other.port, other.database)

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection; a transaction that the block leaves open is rolled back.

        Raises:
            PlatformFault: the server does not answer.
        """
        try:
            connection = psycopg.connect(
                host=self.host or None,
                port=self.port or None,
                user=self.user or None,
                password=self.password or None,
                dbname=self.database,
                connect_timeout=10,
            )
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            raise PlatformFault(f"{self.shown} does not answer: {reason}", hint="Start the database.") from error
        with contextlib.closing(connection):
            yield connection

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep writers of statuses out; a transaction that holds a row is waited for, briefly, several times."""
        with self.connect() as connection:
            for last in (*(False,) * (LOCK_TRIES - 1), True):
                try:
                    # waiting for long would make every writer wait behind us
                    connection.execute("SET LOCAL lock_timeout = '2s'")
                    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(STATUS_TABLE)))
                    break
                except psycopg.errors.LockNotAvailable:
                    connection.rollback()
                    if last:
                        raise
                    time.sleep(1)
            yield

    @contextmanager
    def pin(self) -> Iterator[Pinned]:
        """A repeatable read whose snapshot pg_dump can join."""
        with self.connect() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert row is not None  # noqa: S101 - the function gives one row
            yield _PinnedPostgres(self, connection, row[0])


@dataclass(frozen=True)
class _PinnedPostgres:
    database: PostgresDatabase
    connection: psycopg.Connection[Any]
    snapshot: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def copy(self, target: Path) -> None:
        target.touch(mode=0o600)
        run_tool(
            "pg_dump",
            "--format=custom",
            "--compress=0",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={self.snapshot}",
            f"--file={target}",
            database=self.database,
        )


@contextmanager
def pinned(databases: Sequence[Database]) -> Iterator[dict[str, Pinned]]:
    """Every database as it was at one moment, by name; the first is MOP's.

    Raises:
        BackupRefusedError: there is no installation yet.
        PlatformFault: a database does not answer.
    """
    with contextlib.ExitStack() as stack:
        try:
            with databases[0].quiet():
                views = {database.name: stack.enter_context(database.pin()) for database in databases}
        except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable) as error:
            raise _no_moment(error, databases) from error
        yield views


def _no_moment(error: Exception, databases: Sequence[Database]) -> Exception:
    text = str(error).partition("\n")[0]
    if missing := [one.path for one in databases if isinstance(one, SqliteDatabase) and not one.path.exists()]:
        text = f"there is no {missing[0]}"
    if isinstance(error, psycopg.errors.UndefinedTable) or missing:
        return BackupRefusedError(
            f"There is no installation to back up: {text}.", hint="Set MOP_HOME, or start it once."
        )
    return PlatformFault(
        f"The databases were never free of writers: {text}.", hint="Run the backup again when less goes on."
    )
