"""Putting a dump in the place of what a PostgreSQL database holds."""

from __future__ import annotations

import time
from pathlib import Path

from psycopg import sql

from mop.backup.databases import PostgresDatabase
from mop.backup.postgres_tools import run_tool
from mop.errors import PlatformFault

ENGINE_SCHEMA = "dbos"
_ENDING_SECONDS = 2.0


def content_of(database: PostgresDatabase) -> list[str]:
    """The tables of MOP's and the engine's schema."""
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', %s) ORDER BY 1",
            [ENGINE_SCHEMA],
        ).fetchall()
    return [str(name) for (name,) in rows]


def others_on(database: PostgresDatabase) -> int:
    """How many sessions of others the database has; one that is just ending gets a moment."""
    with database.connect() as connection:
        deadline = time.monotonic() + _ENDING_SECONDS
        while True:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchone()
            count = int(row[0]) if row else 0
            if not count or time.monotonic() > deadline:
                return count
            connection.rollback()  # within one transaction the answer stays the same
            time.sleep(0.1)


def replace_content(database: PostgresDatabase, dump: Path, *, keep: Path) -> None:
    """Replace all tables of the database by those of a dump.

    Args:
        database: which.
        dump: in pg_dump's custom format; pg_restore runs no commands of a hostile one on this host.
        keep: the old content is dumped to this file first, when there is any.

    Raises:
        PlatformFault: the dump was refused; the database has its old content again.
    """
    had_content = bool(content_of(database))
    if had_content:
        keep.touch(mode=0o600)
        run_tool("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={keep}", database=database)
    try:
        _fill(database, dump)
    except PlatformFault:
        if had_content:
            _fill(database, keep)
        raise


def _fill(database: PostgresDatabase, dump: Path) -> None:
    with database.connect() as connection:
        for name in content_of(database):
            schema, _, table = name.partition(".")
            if schema != ENGINE_SCHEMA:
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(schema, table)))
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(ENGINE_SCHEMA)))
        connection.commit()
    run_tool(
        "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--single-transaction",
        str(dump),
        database=database,
    )
