"""Bringing both databases to the state that this release needs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from mop.engine.runtime import prepare_database
from mop.engine.wakes import sqlite_file


def prepare_databases() -> None:
    """Migrate MOP's tables, seed the defaults, and create or migrate the engine's tables."""
    settings.MOP_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine, tables = sqlite_file(settings.MOP_ENGINE_URL), settings.DATABASES["default"]
    if tables["ENGINE"].endswith("sqlite3"):
        _keep_private(Path(tables["NAME"]))
    if engine is not None:
        _keep_private(engine)
        # kept in the file; without it readers wait for writers
        with contextlib.closing(sqlite3.connect(engine)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    call_command("migrate", verbosity=0, interactive=False)
    prepare_database(settings.MOP_ENGINE_URL)


def _keep_private(database: Path) -> None:
    """Nobody else may read a database, whatever the folder allows. SQLite gives its further files the same mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    database.chmod(0o600)
    for ending in ("-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            database.with_name(database.name + ending).chmod(0o600)
