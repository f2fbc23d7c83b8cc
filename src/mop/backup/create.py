"""Making a backup of an installation, running or not."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import psycopg

from mop.areas.registry import register_installed, registered
from mop.backup.archive import CHUNK_BYTES, Progress, write_archive
from mop.backup.databases import ENGINE, MOP, Database, Pinned, pinned
from mop.backup.members import (
    HOME_FILES,
    UNSIGNED_LIST,
    BackupManifest,
    Member,
    blob_member,
    database_member,
    manifest_member,
    signature_member,
)
from mop.backup.occupancy import occupied
from mop.errors import BackupRefusedError, ConflictError, DiskFullError, MopError
from mop.storage import Manifest

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_WORKSPACE = ".mop-backup-"


@dataclass(frozen=True)
class Installation:
    """What a backup is made of: MOP_HOME and the databases, MOP's first."""

    home: Path
    databases: tuple[Database, ...]


class Listener(Protocol):
    """Is told how far a backup or a restore is."""

    def phase(self, name: str, total_bytes: int) -> None:
        """A phase of so many bytes begins; 0 where that is not known."""

    def done(self, count: int) -> None:
        """So many bytes more of the phase are done."""


def create_backup(installation: Installation, target: Path, *, listener: Listener) -> BackupManifest:
    """Write a backup to a new file of mode 0600; it appears complete or not at all.

    The databases are copied as they were at one moment. Then the snapshots that their rows refer to are copied from
    the artifact store: they were there before the rows named them. What is missing or damaged there is left out and
    named.

    Raises:
        ConflictError: the target exists.
        BackupRefusedError: there is no installation, or a file changed meanwhile.
        DiskFullError: no room beside the target.
        PlatformFault: a database does not answer.
    """
    if target.exists():
        raise ConflictError(f"{target} exists already.", hint="Name another file, or a folder.")
    try:
        with occupied(installation.home), _workspace(target.parent) as workspace:
            manifest, sources = _collect(installation, workspace, listener)
            partial = workspace / "archive"
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                listener.phase("write", manifest.total_bytes)
                write_archive(file, manifest, sources, compress=target.suffix != ".tar", progress=listener.done)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(target)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFullError(f"No room for the backup in {target.parent}: {error.strerror}.") from error
        raise
    return manifest


@contextlib.contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix=_WORKSPACE, dir=folder))
    try:
        yield workspace
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _collect(installation: Installation, workspace: Path, listener: Listener) -> tuple[BackupManifest, dict[str, Path]]:
    """The manifest and where each member's content lies; the databases are copied into the workspace."""
    sources: dict[str, Path] = {}
    listener.phase("databases", 0)
    with pinned(installation.databases) as views:
        manifest, digests = _describe(views, installation.databases)
        for database in installation.databases:
            name = database_member(database.name, database.kind)
            sources[name] = workspace / Path(name).name
            views[database.name].copy(sources[name])
    for name in HOME_FILES:
        if (installation.home / name).is_file():
            sources[name] = installation.home / name
    order = sorted(sources, key=lambda name: name.startswith("databases/"))  # the settings are read first
    members = [Member(name, sources[name].stat().st_size, _sha256(sources[name])) for name in order]
    artifacts, left_out = _artifacts(installation.home, digests, listener)
    for member in artifacts:
        sources[member.name] = installation.home / member.name
    return replace(manifest, members=(*members, *artifacts), left_out=tuple(left_out)), sources


def references() -> list[tuple[str, str]]:
    """Tables and columns whose rows name something in the artifact store."""
    register_installed()
    return [(one.table, one.column) for area in registered() for one in area.artifacts]


def _describe(views: dict[str, Pinned], databases: Sequence[Database]) -> tuple[BackupManifest, list[str]]:
    """The manifest without members, and the digests that rows refer to."""
    try:
        migrations = views[MOP].rows("SELECT app, name FROM django_migrations ORDER BY id")
        digests = {
            str(digest)
            for table, column in references()
            if table.partition("_")[0] in {app for app, _ in migrations}  # of an area that this database has
            for (digest,) in views[MOP].rows(f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''")  # noqa: S608 - our own names
        }
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable) as error:
        raise BackupRefusedError(
            f"There is no installation to back up: {error}.", hint="Set MOP_HOME, or start it once with `mop up`."
        ) from error
    kinds = {database.name: database.kind for database in databases}
    manifest = BackupManifest(
        made_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        mop_version=version("mop"),
        databases=kinds,
        migrations=tuple(f"{app}.{name}" for app, name in migrations),
        engine_schema=_engine_schema(views.get(ENGINE, views[MOP]), kinds.get(ENGINE, kinds[MOP])),
        members=(),
    )
    return manifest, sorted(digests)


def _engine_schema(view: Pinned, kind: str) -> int:
    table, catalogue = "dbos_migrations", "SELECT name FROM sqlite_master WHERE name = 'dbos_migrations'"
    if kind == "postgresql":
        table = "dbos.dbos_migrations"
        catalogue = "SELECT 1 FROM pg_tables WHERE schemaname = 'dbos' AND tablename = 'dbos_migrations'"
    if not view.rows(catalogue):
        return 0
    ((newest,),) = view.rows(f"SELECT max(version) FROM {table}")  # noqa: S608 - our own names
    return int(newest or 0)


def _artifacts(home: Path, digests: Sequence[str], listener: Listener) -> tuple[list[Member], list[str]]:
    """Every file of the artifact store that the digests need, verified; and what is missing or damaged."""
    members: dict[str, Member] = {}
    left_out: list[str] = []
    blobs: dict[str, int] = {}
    for digest in digests:
        name = manifest_member(digest)
        try:
            data = (home / name).read_bytes()
            files = Manifest.from_json(data).files
        except (OSError, ValueError, MopError):
            left_out.append(f"snapshot {digest}: its manifest is missing or damaged")
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            left_out.append(f"snapshot {digest}: its manifest is damaged")
            continue
        members[name] = Member(name, len(data), digest)
        blobs.update({file.sha256: file.size for file in files})
        _add_signature(home, signature_member(digest), members)
    _add_signature(home, UNSIGNED_LIST, members)
    listener.phase("verify", sum(blobs.values()))
    for sha256, size in sorted(blobs.items()):
        name = blob_member(sha256)
        if _is_whole(home / name, size, sha256, listener.done):
            members[name] = Member(name, size, sha256)
        else:
            left_out.append(f"blob {sha256}: missing or damaged")
    return list(members.values()), left_out


def _add_signature(home: Path, name: str, members: dict[str, Member]) -> None:
    """Not verified: the keys may be elsewhere, and a bad signature is refused before anything of its snapshot runs."""
    path = home / name
    if path.is_file():
        members[name] = Member(name, path.stat().st_size, _sha256(path))


def _is_whole(path: Path, size: int, sha256: str, progress: Progress) -> bool:
    try:
        return path.stat().st_size == size and _sha256(path, progress) == sha256
    except FileNotFoundError:
        return False


def _sha256(path: Path, progress: Callable[[int], None] = lambda _count: None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            progress(len(chunk))
    return digest.hexdigest()
