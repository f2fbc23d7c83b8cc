"""Dumps of PostgreSQL: two databases of one moment, put into others, and the old content back when that fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mop.backup.create import Installation, create_backup
from mop.backup.databases import PostgresDatabase, pinned
from mop.backup.occupancy import emptied_of_users
from mop.backup.postgres import content_of, others_on, replace_content
from mop.backup.postgres_tools import find_tool
from mop.backup.restore import Known, Target, check_fit, restore_backup, what_goes
from mop.errors import BackupRefusedError, PlatformFault
from support.postgres import running_postgres

pytestmark = pytest.mark.postgres


class Silent:
    def phase(self, name: str, total_bytes: int) -> None:
        """Tell nobody."""

    def done(self, count: int) -> None:
        """Tell nobody."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as postgres:
        yield postgres.url()


@pytest.fixture
def databases(server: str) -> tuple[PostgresDatabase, PostgresDatabase]:
    """MOP's and the engine's, with the least that a backup reads."""
    mop, engine = empty(server, "one"), empty(server, "two")
    run(mop, "CREATE TABLE django_migrations (id serial, app text, name text)")
    run(mop, "INSERT INTO django_migrations (app, name) VALUES ('registry', '0001_initial')")
    run(mop, "CREATE TABLE registry_revision (artifact_digest text NOT NULL DEFAULT '', status text)")
    run(mop, "INSERT INTO registry_revision (status) VALUES ('created')")
    run(engine, "CREATE SCHEMA dbos", "CREATE TABLE dbos.dbos_migrations (version bigint)")
    run(engine, "INSERT INTO dbos.dbos_migrations VALUES (3)", "CREATE TABLE dbos.work (status text)")
    return mop, engine


def empty(server: str, name: str) -> PostgresDatabase:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    return PostgresDatabase.of_url(
        "mop" if name in {"one", "three"} else "engine", f"{server.rpartition('/')[0]}/{name}"
    )


def run(database: PostgresDatabase, *statements: str) -> None:
    with database.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())
        connection.commit()


def statuses(database: PostgresDatabase) -> list[str]:
    with database.connect() as connection:
        return [status for (status,) in connection.execute("SELECT status FROM registry_revision ORDER BY 1")]


def test_two_databases_go_into_two_others(
    server: str, databases: tuple[PostgresDatabase, PostgresDatabase], tmp_path: Path
):
    home = tmp_path / "home"
    home.mkdir()
    file = tmp_path / "b.tar.gz"
    manifest = create_backup(Installation(home, databases), file, listener=Silent())
    assert manifest.databases == {"mop": "postgresql", "engine": "postgresql"}
    assert (manifest.migrations, manifest.engine_schema) == (("registry.0001_initial",), 3)
    target = Target(home, (empty(server, "three"), empty(server, "four")))
    run(target.databases[0], "CREATE TABLE newer (x int)")  # type: ignore[arg-type]
    check_fit(manifest, target, Known(frozenset(manifest.migrations), 3))
    assert what_goes(target) == [target.databases[0].shown]  # type: ignore[attr-defined]
    with emptied_of_users(home):
        restored = restore_backup(file, target, hand_back=lambda _folder: 7, listener=Silent())
    assert restored.work == 7
    assert restored.aside is not None
    assert [path.name for path in restored.aside.iterdir()] == ["mop.dump"]
    three, four = target.databases
    assert content_of(three) == ["public.django_migrations", "public.registry_revision"]  # type: ignore[arg-type]
    assert content_of(four) == ["dbos.dbos_migrations", "dbos.work"]  # type: ignore[arg-type]
    assert statuses(three) == ["created"]  # type: ignore[arg-type]


def test_a_writer_of_statuses_waits_for_the_moment_and_is_not_in_it(
    databases: tuple[PostgresDatabase, PostgresDatabase],
):
    mop, engine = databases
    writing = threading.Event()

    def write() -> None:
        writing.set()
        run(mop, "INSERT INTO registry_revision (status) VALUES ('verified')")

    writer = threading.Thread(target=write)
    with pinned(databases) as views:
        writer.start()
        writing.wait()
        writer.join()  # it goes on while the copies are made
        run(engine, "INSERT INTO dbos.work VALUES ('SUCCESS')")
        assert views["mop"].rows("SELECT status FROM registry_revision") == [("created",)]
        assert views["engine"].rows("SELECT status FROM dbos.work") == []
    assert statuses(mop) == ["created", "verified"]


def test_a_dump_that_is_refused_leaves_the_old_content(
    databases: tuple[PostgresDatabase, PostgresDatabase], tmp_path: Path
):
    mop, _ = databases
    (tmp_path / "bad.dump").write_bytes(b"PGDMP not a dump")
    with pytest.raises(PlatformFault, match="pg_restore failed on the database one"):
        replace_content(mop, tmp_path / "bad.dump", keep=tmp_path / "kept.dump")
    assert statuses(mop) == ["created"]


def test_sessions_of_others_are_counted(databases: tuple[PostgresDatabase, PostgresDatabase]):
    mop, _ = databases
    assert others_on(mop) == 0
    with mop.connect():
        assert others_on(mop) == 1


def test_a_database_without_mop_is_nothing_to_back_up(server: str, tmp_path: Path):
    with pytest.raises(BackupRefusedError, match="no installation to back up"):
        create_backup(Installation(tmp_path, (empty(server, "three"),)), tmp_path / "b.tar", listener=Silent())


def test_a_server_that_does_not_answer_is_the_platforms_fault(tmp_path: Path):
    nowhere = PostgresDatabase.of_url("mop", "postgresql://u:s3cr3t@127.0.0.1:9/none")
    with pytest.raises(PlatformFault, match="does not answer") as failed:
        create_backup(Installation(tmp_path, (nowhere,)), tmp_path / "b.tar", listener=Silent())
    assert "s3cr3t" not in failed.value.message


def test_a_host_without_the_tools_is_told_which_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("mop.backup.postgres_tools.PACKAGES", tmp_path)
    with pytest.raises(BackupRefusedError) as refused:
        find_tool("pg_dump")
    assert "postgresql-client" in refused.value.hint
