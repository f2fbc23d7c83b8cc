"""Opening this host's installation from a command: Django, its settings and its database."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mop.areas.references import Ref
from mop.cycle_collector import paused_collector

if TYPE_CHECKING:
    from mop.backup.databases import Database


def open_settings() -> None:
    """Make Django's settings and models usable; touches no database.

    Raises:
        SystemExit: a setting cannot be read; the message names it.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mop.conf.settings")
    import django

    with paused_collector():
        django.setup()


def open_database() -> None:
    """Open the settings and bring MOP's database to the present tables."""
    open_settings()
    # what the worker does as well; it stands beside the commands and is reached by name alone
    Ref("mop.worker.setup:prepare_tables").load()()


def conf(module: str) -> Any:
    """A module of `mop.conf`: it stands above the commands and is reached by name alone, as Django reaches it."""
    return import_module(f"mop.conf.{module}")


def installed_databases(home: Path, *, scratch: Path | None = None) -> tuple[Database, ...]:
    """The databases that the open settings name: MOP's, then the engine's unless it is in the same one.

    Args:
        home: where files of the installation lie.
        scratch: the folder that the settings were opened with in its place.
    """
    from django.conf import settings

    from mop.backup.databases import ENGINE, MOP, PostgresDatabase, SqliteDatabase

    def placed(path: str) -> Path:
        inside = scratch is not None and Path(path).is_relative_to(scratch)
        return home / Path(path).relative_to(scratch) if inside and scratch else Path(path)

    given = settings.DATABASES["default"]
    url = str(settings.MOP_ENGINE_URL)
    engine: Database = (
        SqliteDatabase(ENGINE, placed(url.removeprefix("sqlite:///")))
        if url.startswith("sqlite")
        else PostgresDatabase.of_url(ENGINE, url)
    )
    if given["ENGINE"].endswith("sqlite3"):
        return (SqliteDatabase(MOP, placed(str(given["NAME"]))), engine)
    mop = PostgresDatabase(
        name=MOP,
        host=given["HOST"],
        port=given["PORT"],
        user=given["USER"],
        password=given["PASSWORD"],
        database=given["NAME"],
    )
    if isinstance(engine, PostgresDatabase) and engine.same_as(mop):
        return (mop,)
    return (mop, engine)
