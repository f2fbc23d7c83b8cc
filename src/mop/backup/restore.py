"""An installation from a backup: looked at, unpacked beside the present one, and only then put in its place."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mop.backup.archive import read_manifest, read_member, unpack
from mop.backup.create import Listener
from mop.backup.databases import ENGINE, MOP, Database, PostgresDatabase, SqliteDatabase
from mop.backup.members import SETTINGS_FILE, BackupManifest, damaged, database_member
from mop.backup.occupancy import INTERRUPTED
from mop.backup.postgres import content_of, others_on, replace_content
from mop.errors import BackupRefusedError, DiskFullError, PlatformFault

ASIDE = "before-restore-"
STAGING = ".restoring-"
SETTINGS_BYTES_MAX = 1024**2
_FILES = {MOP: "mop.db", ENGINE: "engine.db"}


@dataclass(frozen=True)
class Known:
    """What this release can read: the migrations that it has, and the newest version of the engine's tables."""

    migrations: frozenset[str]
    engine_schema: int


@dataclass(frozen=True)
class Target:
    """Where a backup goes: MOP_HOME, and the databases that the restored settings name."""

    home: Path
    databases: tuple[Database, ...]


@dataclass(frozen=True)
class Restored:
    """What was done.

    Attributes:
        manifest: of the backup.
        aside: where the content of the old home lies now; None when there was none.
        work: how many pieces of unfinished work the next workers go on with.
    """

    manifest: BackupManifest
    aside: Path | None
    work: int


def look_into(file: Path) -> tuple[BackupManifest, bytes | None]:
    """The manifest of a backup and its mop.toml.

    Raises:
        BackupRefusedError: it is no backup that this release reads.
    """
    manifest = read_manifest(file)
    return manifest, read_member(file, SETTINGS_FILE, bytes_max=SETTINGS_BYTES_MAX)


def check_fit(manifest: BackupManifest, target: Target, known: Known) -> None:
    """Whether the backup can go there.

    Raises:
        BackupRefusedError: it is of a newer release, or of another kind of database, or one of them is in use.
    """
    newer = [name for name in manifest.migrations if name not in known.migrations]
    if newer or manifest.engine_schema > known.engine_schema:
        what = f"it holds {newer[0]}" if newer else f"its engine tables are version {manifest.engine_schema}"
        raise BackupRefusedError(
            f"The backup is of a newer release, MOP {manifest.mop_version}: {what}, which this one does not know.",
            hint=f"Install MOP {manifest.mop_version} or newer, then restore it.",
        )
    for database in target.databases:
        kind = manifest.databases.get(database.name, manifest.databases[MOP])
        if database.kind != kind:
            raise BackupRefusedError(
                f"The backup holds {kind} of {database.name}, but the settings name {database.kind}.",
                hint=(
                    "Set MOP_DATABASE_URL to the PostgreSQL database that it goes to."
                    if kind == "postgresql"
                    else "Unset MOP_DATABASE_URL and MOP_ENGINE_URL; the files go to MOP_HOME."
                ),
            )
        if isinstance(database, SqliteDatabase) and database.path != target.home / _FILES[database.name]:
            raise BackupRefusedError(
                f"The settings place a database at {database.path}, outside of MOP_HOME.",
                hint="Unset MOP_DATABASE_URL and MOP_ENGINE_URL; the files go to MOP_HOME.",
            )
        if isinstance(database, PostgresDatabase) and (count := others_on(database)):
            raise BackupRefusedError(
                f"{count} other sessions use {database.shown}.", hint="Stop every part of MOP that uses it first."
            )
    if {database.name for database in target.databases} != set(manifest.databases):
        raise BackupRefusedError(
            "The backup and the settings differ in their databases: one of them has the engine in one of its own.",
            hint="Set MOP_ENGINE_URL as it was when the backup was made.",
        )


def what_goes(target: Target) -> list[str]:
    """What the restore would replace, a line each; empty for a new installation."""
    lines = [f"the installation at {target.home}"] if _entries(target.home) else []
    return lines + [
        database.shown
        for database in target.databases
        if isinstance(database, PostgresDatabase) and content_of(database)
    ]


def restore_backup(file: Path, target: Target, *, hand_back: Callable[[Path], int], listener: Listener) -> Restored:
    """Put the backup in the place of what is there; the caller holds `emptied_of_users` and was told to go on.

    Everything is unpacked and verified beside the old content first. The old content of MOP_HOME and dumps of old
    PostgreSQL databases are moved to a folder of their own in MOP_HOME; nothing is removed.

    Args:
        file: the backup.
        target: where it goes.
        hand_back: puts the unfinished work of the engine's database back on its queues, given the folder that files of
            the new home lie in; gives how much it was.
        listener: is told how far it is.

    Raises:
        BackupRefusedError: the backup is damaged; the installation is as it was.
        DiskFullError: no room; the installation is as it was.
        PlatformFault: a database refused its content; it has its old content again.
    """
    manifest = read_manifest(file)
    free = shutil.disk_usage(target.home).free
    if free < manifest.total_bytes:
        raise DiskFullError(f"{target.home} has {free:,} bytes free; the backup needs {manifest.total_bytes:,}.")
    with _staging(target.home) as staging:
        unpacked, aside = staging / "home", staging / "aside"
        unpacked.mkdir()
        aside.mkdir()
        listener.phase("unpack", manifest.total_bytes)
        unpack(file, unpacked, progress=listener.done)
        listener.phase("databases", 0)
        for database in target.databases:
            copy = unpacked / database_member(database.name, database.kind)
            if isinstance(database, PostgresDatabase):
                replace_content(database, copy, keep=aside / f"{database.name}.dump")
            else:
                _check_file(copy)
                copy.rename(unpacked / _FILES[database.name])
        shutil.rmtree(unpacked / "databases")
        work = hand_back(unpacked) if manifest.engine_schema else 0
        return Restored(manifest, _switch(target.home, unpacked, aside), work)


@contextlib.contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A folder in the home itself: the same disk, also where the home is a mount point."""
    for left in home.glob(f"{STAGING}*"):  # of a restore that was killed
        shutil.rmtree(left)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=home))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_file(path: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise damaged(f"{path.name} is not a database") from error
    if answer != "ok":
        raise damaged(f"{path.name} is damaged")


def _entries(home: Path) -> list[Path]:
    """What an installation in the home consists of."""
    if not home.is_dir():
        return []
    return [path for path in home.iterdir() if not path.name.startswith((ASIDE, STAGING, INTERRUPTED))]


def _switch(home: Path, unpacked: Path, aside: Path) -> Path | None:
    """Move the old content aside and the new content in; each move is a rename on one disk.

    A process that starts in between finds `restore-in-progress` and refuses.
    """
    kept: Path | None = None
    if (old := _entries(home)) or any(aside.iterdir()):
        kept = home / f"{ASIDE}{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%fZ}"
        aside.rename(kept)
    marker = home / INTERRUPTED
    marker.write_text(f"what was there before is in {kept}", encoding="utf-8")
    try:
        for path in old:
            path.rename((kept or aside) / path.name)
        for path in unpacked.iterdir():
            path.rename(home / path.name)
    except OSError as error:
        raise PlatformFault(
            f"The new content could not be moved into {home}: {error}",
            hint="Repair the disk and run `mop restore` again.",
        ) from error
    marker.unlink()
    return kept
