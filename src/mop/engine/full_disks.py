"""Recognises a full disk among the failures of databases and files, and names the disk.

SQLite in write-ahead mode needs room to read as well: the first connection makes a file that readers share. A disk
without room then is "disk I/O error", as many other causes are; what tells them apart is the disk itself.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from mop.errors import DiskFullError

NO_ROOM_BYTES = 256 * 1024  # less is no room for SQLite: its shared file alone takes 32 KiB
POSTGRESQL_DISK_FULL = "53100"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PRIMARY = 0xFF  # the low byte of SQLite's extended codes
_AMBIGUOUS = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def full_disk(error: BaseException | None) -> DiskFullError | None:
    """The full disk that a failure, or what caused it, comes from; None when it comes from something else."""
    for cause in _chain(error):
        if isinstance(cause, DiskFullError):
            return cause
        if text := _described(cause):
            return DiskFullError(text)
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _described(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in _FULL:
        return _file(error)
    if isinstance(error, sqlite3.Error):
        return _sqlite(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK))
    if getattr(error, "sqlstate", None) == POSTGRESQL_DISK_FULL:
        host = settings.DATABASES["default"].get("HOST")
        return f"The disk of the PostgreSQL server{f' {host}' if host else ''} is full."
    return ""


def _file(error: OSError) -> str:
    if error.filename:
        return f"The disk that holds {os.fsdecode(error.filename)} is full."
    folders = (Path(settings.MOP_HOME), Path(tempfile.gettempdir()))
    return next((_holding(folder) for folder in folders if _without_room(folder)), "A disk of this host is full.")


def _sqlite(code: int) -> str:
    folder = _database_folder()
    primary = code & _PRIMARY
    is_full = primary == sqlite3.SQLITE_FULL or (primary in _AMBIGUOUS and _without_room(folder))
    return _holding(folder) if is_full else ""


def _database_folder() -> Path:
    """Where MOP's database lies; the engine's lies in MOP_HOME, as MOP's does unless the operator chose another."""
    database = settings.DATABASES["default"]
    name = Path(str(database["NAME"]))
    return name.parent if database["ENGINE"].endswith("sqlite3") and name.is_absolute() else Path(settings.MOP_HOME)


def _holding(folder: Path) -> str:
    return f"The disk that holds {folder} is full."


def _without_room(folder: Path) -> bool:
    try:
        state = os.statvfs(folder)
    except OSError:
        return False
    return state.f_bavail * state.f_frsize < NO_ROOM_BYTES
