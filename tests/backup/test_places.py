"""Who may use MOP_HOME, what a restore refuses, and what it moves aside."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from dbos import run_dbos_database_migrations
from django.apps import apps
from django.db.models import CharField

from mop.backup.archive import write_archive
from mop.backup.create import Installation, create_backup, references
from mop.backup.databases import PostgresDatabase, SqliteDatabase
from mop.backup.members import BackupManifest, Member
from mop.backup.occupancy import INTERRUPTED, emptied_of_users, occupied
from mop.backup.restore import Known, Target, check_fit, restore_backup, what_goes
from mop.engine.restored import known_schema
from mop.errors import BackupRefusedError, ConflictError


class Silent:
    def phase(self, name: str, total_bytes: int) -> None:
        """Tell nobody."""

    def done(self, count: int) -> None:
        """Tell nobody."""


def make_home(home: Path, *, digest: str = "") -> Installation:
    """The least that a backup reads: a table of migrations, a table of revisions, an engine's database."""
    home.mkdir()
    with contextlib.closing(sqlite3.connect(home / "mop.db")) as mop, mop:
        mop.execute("PRAGMA journal_mode=WAL")
        mop.execute("CREATE TABLE django_migrations (id integer primary key, app text, name text)")
        mop.execute("INSERT INTO django_migrations VALUES (1, 'registry', '0001_initial')")
        mop.execute("CREATE TABLE registry_revision (artifact_digest text)")
        mop.execute("INSERT INTO registry_revision VALUES (?)", [digest])
    sqlite3.connect(home / "engine.db").close()
    with contextlib.closing(sqlite3.connect(home / "engine.db")) as engine, engine:
        engine.execute("CREATE TABLE dbos_migrations (version integer)")
        engine.execute("INSERT INTO dbos_migrations VALUES (3)")
    (home / "secret-key").write_text("secret")
    return Installation(home, databases(home))


def databases(home: Path) -> tuple[SqliteDatabase, SqliteDatabase]:
    return SqliteDatabase("mop", home / "mop.db"), SqliteDatabase("engine", home / "engine.db")


def restore(file: Path, home: Path) -> Path | None:
    home.mkdir(exist_ok=True)
    with emptied_of_users(home):
        target = Target(home, databases(home))
        return restore_backup(file, target, hand_back=lambda _folder: 0, listener=Silent()).aside


KNOWN = Known(frozenset({"registry.0001_initial"}), 3)


def test_a_backup_is_complete_private_and_never_overwrites(tmp_path: Path):
    installation = make_home(tmp_path / "home")
    file = tmp_path / "out" / "b.tar.gz"
    manifest = create_backup(installation, file, listener=Silent())
    assert (manifest.migrations, manifest.engine_schema) == (("registry.0001_initial",), 3)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConflictError, match="exists already"):
        create_backup(installation, file, listener=Silent())
    assert [path.name for path in file.parent.iterdir()] == ["b.tar.gz"]


def test_a_snapshot_that_the_store_lost_is_named_and_the_rest_is_kept(tmp_path: Path):
    manifest = create_backup(make_home(tmp_path / "home", digest="a" * 64), tmp_path / "b.tar", listener=Silent())
    assert manifest.left_out == (f"snapshot {'a' * 64}: its manifest is missing or damaged",)
    assert restore(tmp_path / "b.tar", tmp_path / "new") is None


def test_every_column_that_names_a_snapshot_is_backed_up():
    named = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, CharField) and field.column.endswith("artifact_digest")
    }
    # these tell which snapshot answered or was released; its version, or the bundle, keeps it
    named -= {
        ("evaluation_evaluation", "artifact_digest"),
        ("golden_sets_goldenrun", "artifact_digest"),
        ("regression_regressionrun", "artifact_digest"),
        ("releases_bundle", "artifact_digest"),
        ("releases_release", "artifact_digest"),
    }
    named |= {("evaluation_evaluation", "predictions_digest"), ("releases_bundle", "digest")}
    assert named == set(references())


def test_no_installation_is_nothing_to_back_up(tmp_path: Path):
    with pytest.raises(BackupRefusedError, match="no installation to back up"):
        create_backup(Installation(tmp_path, databases(tmp_path)), tmp_path / "b.tar", listener=Silent())
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_is_moved_aside_and_can_be_moved_back(tmp_path: Path):
    installation = make_home(tmp_path / "home")
    file = tmp_path / "b.tar.gz"
    create_backup(installation, file, listener=Silent())
    home = installation.home
    (home / "secret-key").write_text("changed")
    (home / "environments").mkdir()
    assert what_goes(Target(home, databases(home))) == [f"the installation at {home}"]
    aside = restore(file, home)
    assert aside is not None
    assert aside.parent == home
    assert (home / "secret-key").read_text() == "secret"
    assert (aside / "secret-key").read_text() == "changed"
    assert sorted(path.name for path in home.iterdir()) == [aside.name, "engine.db", "mop.db", "secret-key"]
    assert {"environments", "mop.db", "engine.db"} <= {path.name for path in aside.iterdir()}
    second = restore(file, home)
    assert second not in {None, aside}
    assert aside.is_dir()


def test_a_damaged_backup_leaves_the_installation_as_it_was(tmp_path: Path):
    installation = make_home(tmp_path / "home")
    file = tmp_path / "b.tar"
    create_backup(installation, file, listener=Silent())
    file.write_bytes(file.read_bytes()[:-2000])
    before = sorted(path.name for path in installation.home.iterdir())
    with pytest.raises(BackupRefusedError, match=r"cut short|SHA-256"):
        restore(file, installation.home)
    assert sorted(path.name for path in installation.home.iterdir()) == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"no database")
    member = Member("databases/mop.db", 11, hashlib.sha256(b"no database").hexdigest())
    with (tmp_path / "b.tar").open("wb") as file:
        content = manifest(members=(member,), databases={"mop": "sqlite"})
        write_archive(file, content, {member.name: source}, compress=False, progress=lambda _count: None)
    with pytest.raises(BackupRefusedError, match=r"mop.db is not a database"):
        restore(tmp_path / "b.tar", tmp_path / "home")
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"migrations": ("registry.0001_initial", "accounts.0999_future")}, "accounts.0999_future"),
        ({"engine_schema": 4}, "engine tables are version 4"),
    ],
)
def test_a_backup_of_a_newer_release_is_refused_with_the_hint(tmp_path: Path, fields: dict[str, object], says: str):
    with pytest.raises(BackupRefusedError, match=says) as refused:
        check_fit(manifest(**fields), Target(tmp_path, databases(tmp_path)), KNOWN)
    assert refused.value.hint == "Install MOP 9.9.9 or newer, then restore it."


def test_a_backup_for_other_databases_is_refused(tmp_path: Path):
    check_fit(manifest(), Target(tmp_path, databases(tmp_path)), KNOWN)
    elsewhere = (SqliteDatabase("mop", tmp_path / "other.db"), databases(tmp_path)[1])
    with pytest.raises(BackupRefusedError, match="outside of MOP_HOME"):
        check_fit(manifest(), Target(tmp_path, elsewhere), KNOWN)
    server = PostgresDatabase.of_url("mop", "postgresql+psycopg://u:p%40@h:1/n")
    assert (server.user, server.password, server.database, server.port) == ("u", "p@", "n", "1")
    assert "p@" not in server.shown
    with pytest.raises(BackupRefusedError, match="holds sqlite"):
        check_fit(manifest(), Target(tmp_path, (server,)), KNOWN)
    dumps = manifest(databases={"mop": "postgresql"})
    with pytest.raises(BackupRefusedError, match="holds postgresql"):
        check_fit(dumps, Target(tmp_path, databases(tmp_path)), KNOWN)


def test_who_uses_the_home_keeps_a_restore_out_and_the_other_way_round(tmp_path: Path):
    with occupied(tmp_path), occupied(tmp_path), pytest.raises(BackupRefusedError, match="MOP runs on"):
        emptied_of_users(tmp_path).__enter__()
    with emptied_of_users(tmp_path), pytest.raises(BackupRefusedError, match="being restored now"):
        occupied(tmp_path).__enter__()


def test_a_process_that_uses_the_home_does_so_until_it_dies_and_its_children_do_not(tmp_path: Path):
    code = (
        "import subprocess, sys, pathlib; from mop.backup.occupancy import occupy; occupy(pathlib.Path(sys.argv[1]));"
        "child = subprocess.Popen(['sleep', '300']); print(child.pid, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        with pytest.raises(BackupRefusedError, match="MOP runs on"):
            emptied_of_users(tmp_path).__enter__()
        process.kill()
        process.wait()
        with emptied_of_users(tmp_path):
            pass
    finally:
        os.kill(child, 9)


def test_a_home_that_was_left_half_replaced_can_only_be_restored(tmp_path: Path):
    (tmp_path / INTERRUPTED).write_text("what was there before is in X")
    with pytest.raises(BackupRefusedError, match="left half-replaced: what was there before is in X"):
        occupied(tmp_path).__enter__()
    with emptied_of_users(tmp_path):
        pass


def test_the_known_version_of_the_engine_s_tables_is_what_the_engine_makes(tmp_path: Path):
    run_dbos_database_migrations(f"sqlite:///{tmp_path}/engine.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "engine.db")) as engine:
        assert engine.execute("SELECT version FROM dbos_migrations").fetchall() == [(known_schema("sqlite"),)]


def manifest(**fields: object) -> BackupManifest:
    given = {
        "made_at": "",
        "mop_version": "9.9.9",
        "databases": {"mop": "sqlite", "engine": "sqlite"},
        "migrations": ("registry.0001_initial",),
        "engine_schema": 3,
        "members": (),
    } | fields
    return BackupManifest(**given)  # type: ignore[arg-type]
