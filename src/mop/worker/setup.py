"""Bringing both databases to the state that this release needs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.executor import MigrationExecutor

from mop.cycle_collector import paused_collector
from mop.engine.wakes import sqlite_file
from mop.worker.prepared import copy_prepared


def prepare_databases() -> None:
    """Migrate MOP's tables, seed the defaults, and create or migrate the engine's tables."""
    prepare_tables()
    if (engine := sqlite_databases().get("engine.db")) is None:
        _make_engine_tables()
        return
    copy_prepared("engine.db", engine)
    _keep_private(engine)
    _prepare_engine(engine)


def prepare_tables() -> None:
    """Migrate MOP's tables, and seed the defaults."""
    settings.MOP_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (tables := sqlite_databases().get("mop.db")) is not None:
        copy_prepared("mop.db", tables)
        _keep_private(tables)
    with paused_collector():  # a third of the time went to the models that each migration makes anew
        _migrate()


def sqlite_databases() -> dict[str, Path]:
    """The files of this installation's databases, by the names that they have in MOP_HOME.

    Empty on PostgreSQL, and where a database is in memory, as that of tests.
    """
    found: dict[str, Path] = {}
    tables = str(settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"])
    if connection.vendor == "sqlite" and tables != ":memory:" and "mode=memory" not in tables:
        found["mop.db"] = Path(tables)
    if (engine := sqlite_file(settings.MOP_ENGINE_URL)) is not None:
        found["engine.db"] = engine
    return found


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
        return
    # the command makes the models of all migrations twice, for what follows migrations that there were
    emit_post_migrate_signal(0, interactive=False, db=DEFAULT_DB_ALIAS)


def _prepare_engine(file: Path) -> None:
    """Create or migrate the engine's tables, unless this release of the engine did.

    To import the engine takes half a second of each start, and a worker's engine looks at its tables anyway.
    """
    release = zlib.crc32(version("dbos").encode()) & 0x7FFF_FFFF  # SQLite keeps a signed number of 32 bits
    with contextlib.closing(sqlite3.connect(file)) as opened:
        # kept in the file; without it readers wait for writers
        opened.execute("PRAGMA journal_mode=WAL")
        if opened.execute("PRAGMA user_version").fetchone() == (release,):
            return
    _make_engine_tables()
    with contextlib.closing(sqlite3.connect(file)) as opened:
        opened.execute(f"PRAGMA user_version={release}")


def _make_engine_tables() -> None:
    from mop.engine.runtime import prepare_database  # noqa: PLC0415 - imports the engine

    prepare_database(settings.MOP_ENGINE_URL)


def _keep_private(database: Path) -> None:
    """Nobody else may read a database, whatever the folder allows. SQLite gives its further files the same mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    database.chmod(0o600)
    for ending in ("-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            database.with_name(database.name + ending).chmod(0o600)
