"""A full disk is recognised by what the system really raises, and named."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from mop.engine.full_disks import full_disk
from mop.errors import DiskFullError
from support.small_disks import SmallDisk, small_disk


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """A small disk that holds MOP's database."""
    with small_disk() as disk:
        monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
        monkeypatch.setitem(settings.DATABASES["default"], "NAME", disk.folder / "mop.db")
        with contextlib.closing(sqlite3.connect(disk.folder / "mop.db", isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE notes (text)")
        yield disk


def failure_of(disk: SmallDisk, statement: str) -> sqlite3.Error | None:
    try:
        with contextlib.closing(sqlite3.connect(disk.folder / "mop.db", isolation_level=None)) as database:
            database.execute(statement)
    except sqlite3.Error as error:
        return error
    return None


@pytest.mark.parametrize("statement", ["SELECT * FROM notes", "INSERT INTO notes VALUES (randomblob(100000))"])
def test_a_disk_without_room_is_named_in_reads_and_writes(disk: SmallDisk, statement: str):
    disk.leave_room(0)
    fault = full_disk(failure_of(disk, statement))
    assert isinstance(fault, DiskFullError)
    assert str(disk.folder) in fault.message
    disk.leave_room(1 << 20)
    assert failure_of(disk, statement) is None


def test_an_error_of_a_disk_with_room_is_no_full_disk(disk: SmallDisk):
    database = disk.folder / "mop.db"
    database.rename(disk.folder / "away")
    database.mkdir()
    error = failure_of(disk, "SELECT 1")
    assert error is not None
    assert error.sqlite_errorname == "SQLITE_CANTOPEN"
    assert full_disk(error) is None


@pytest.mark.dialect
@pytest.mark.django_db
def test_what_the_database_itself_says_is_a_full_disk():
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        _meet_a_full_disk()
    fault = full_disk(raised.value)
    assert fault is not None
    assert ("PostgreSQL" in fault.message) is (connection.vendor == "postgresql")


def _meet_a_full_disk() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$")
            return
        cursor.execute("PRAGMA max_page_count")
        (before,) = cursor.fetchone()
        cursor.execute("PRAGMA max_page_count=1")  # as many as there are
        try:
            cursor.execute("CREATE TABLE filler AS SELECT randomblob(10000000)")
        finally:
            cursor.execute(f"PRAGMA max_page_count={before}")


def test_a_file_that_can_not_be_written_names_its_disk():
    with pytest.raises(OSError, match="No space") as raised, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    assert full_disk(raised.value) is not None
    fault = full_disk(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/srv/mop/x"))
    assert fault is not None
    assert fault.message == "The disk that holds /srv/mop/x is full."


def test_what_failed_because_of_a_full_disk_is_a_full_disk():
    told = DiskFullError("No room to write the snapshot.")
    error = RuntimeError("the step failed")
    error.__cause__ = told
    assert full_disk(error) is told


@pytest.mark.parametrize("error", [None, ValueError("x"), FileNotFoundError(2, "gone", str(settings.MOP_HOME))])
def test_other_failures_are_no_full_disk(error: Exception | None):
    assert full_disk(error) is None
