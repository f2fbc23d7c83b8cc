"""The empty databases that come with the package, and the first start that copies them."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from mop.worker import prepared
from mop.worker.prepared import STAMP, copy_prepared, fingerprint
from mop.worker.setup import sqlite_databases
from support.forked import run_python

OWN_PACKAGE = """
import sys
from pathlib import Path
import django
django.setup()
from mop.worker import prepared
prepared.OF_PACKAGE = Path(sys.argv[1])
if sys.argv[2:]:
    prepared.make_for_package()
else:
    from mop.worker.setup import prepare_databases
    prepare_databases()
"""


def run(package: Path, home: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    environment |= {"MOP_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    done = run_python([sys.executable, "-c", OWN_PACKAGE, str(package), *arguments], env=environment)
    assert done.returncode == 0, done.stderr


def asked(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.second_tier
def test_a_first_start_copies_the_databases_that_the_migrations_made_for_the_package(tmp_path: Path):
    package, home = tmp_path / "package", tmp_path / "home"
    run(package, tmp_path / "builder", "build")
    assert sorted(path.name for path in package.iterdir()) == sorted([STAMP, "engine.db", "mop.db"])
    built = {path.name: path.read_bytes() for path in package.iterdir()}
    run(package, home)
    # times of each migration: none ran again
    applied = "SELECT app, name, applied FROM django_migrations ORDER BY id"
    assert asked(home / "mop.db", applied) == asked(package / "mop.db", applied)
    # by which a start knows that its engine made these tables, and does without it
    assert asked(home / "engine.db", "PRAGMA user_version") == asked(package / "engine.db", "PRAGMA user_version")
    assert asked(home / "engine.db", "PRAGMA user_version") != [(0,)]
    assert {path.name: path.stat().st_mode & 0o777 for path in home.glob("*.db")} == {
        "engine.db": 0o600,
        "mop.db": 0o600,
    }
    assert [*home.glob(".*.db.*")] == []
    assert {path.name: path.read_bytes() for path in package.iterdir()} == built


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    monkeypatch.setattr(prepared, "OF_PACKAGE", folder)
    (folder / "mop.db").write_bytes(b"tables")
    (folder / STAMP).write_text(fingerprint())
    return folder


def test_a_database_in_memory_is_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    default = settings.DATABASES["default"]
    for name in (":memory:", "file:memorydb_default?mode=memory&cache=shared"):
        monkeypatch.setitem(default, "NAME", name)
        assert "mop.db" not in sqlite_databases()
    monkeypatch.setitem(default, "NAME", tmp_path / "mop.db")
    assert connection.vendor != "sqlite" or sqlite_databases()["mop.db"] == tmp_path / "mop.db"


def test_a_database_that_is_there_is_never_replaced(package: Path, tmp_path: Path):
    """Not even an empty one: another process may be about to fill it."""
    database = tmp_path / "mop.db"
    database.touch()
    assert not copy_prepared("mop.db", database)
    assert database.read_bytes() == b""
    database.unlink()
    assert copy_prepared("mop.db", database)
    assert database.read_bytes() == b"tables"


def test_databases_of_other_migrations_are_not_taken(package: Path, tmp_path: Path):
    (package / STAMP).write_text("of other migrations")
    assert not copy_prepared("mop.db", tmp_path / "mop.db")
    (package / STAMP).unlink()
    assert not copy_prepared("mop.db", tmp_path / "mop.db")
    assert not (tmp_path / "mop.db").exists()
