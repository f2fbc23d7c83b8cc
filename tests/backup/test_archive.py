"""The file of a backup: what may be in it, and everything else refused before it is written anywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mop.backup.archive import read_manifest, read_member, unpack, write_archive
from mop.backup.members import (
    MANIFEST,
    UNSIGNED_LIST,
    BackupManifest,
    Member,
    blob_member,
    manifest_member,
    signature_member,
)
from mop.errors import BackupRefusedError

BLOB = b"weights" * 1000
SHA = hashlib.sha256(BLOB).hexdigest()
CONTENT = {
    "secret-key": b"secret",
    "mop.toml": b"debug = false\n",
    "policy.toml": b'block = "high"\n',
    "databases/mop.db": b"m" * 5000,
    "databases/engine.db": b"e",
    blob_member(SHA): BLOB,
    signature_member(SHA): b"{}",
    UNSIGNED_LIST: b"{}",
}


def manifest_of(content: dict[str, bytes], **fields: Any) -> BackupManifest:
    members = tuple(Member(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items())
    given: dict[str, Any] = {
        "made_at": "2026-01-01T00:00:00+00:00",
        "mop_version": "0.1.0",
        "databases": {"mop": "sqlite", "engine": "sqlite"},
        "migrations": ("accounts.0001_initial",),
        "engine_schema": 1,
        "members": members,
    } | fields
    return BackupManifest(**given)


def written(folder: Path, content: dict[str, bytes], *, compress: bool = True) -> Path:
    sources = {}
    for number, (name, data) in enumerate(content.items()):
        sources[name] = folder / f"source{number}"
        sources[name].write_bytes(data)
    path = folder / "backup"
    with path.open("wb") as file:
        write_archive(file, manifest_of(content), sources, compress=compress, progress=lambda _count: None)
    return path


def forged(folder: Path, entries: list[tuple[tarfile.TarInfo, bytes]], manifest: bytes | None = None) -> Path:
    """An archive by the standard library, with any entries after any manifest."""
    path = folder / "forged.tar"
    head = manifest_of(CONTENT).to_json() if manifest is None else manifest
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in [(tarfile.TarInfo(MANIFEST), head), *entries]:
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def unpacked(path: Path, folder: Path) -> dict[str, bytes]:
    unpack(path, folder, progress=lambda _count: None)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def entry(name: str, kind: bytes = tarfile.REGTYPE, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target" / "home"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("compress", [True, False])
def test_what_was_written_comes_out_the_same(tmp_path: Path, target: Path, *, compress: bool):
    path = written(tmp_path, CONTENT, compress=compress)
    assert unpacked(path, target) == CONTENT
    assert all(file.stat().st_mode & 0o077 == 0 for file in target.rglob("*"))
    assert read_manifest(path) == manifest_of(CONTENT)
    assert read_member(path, "mop.toml", bytes_max=100) == CONTENT["mop.toml"]
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert names == [MANIFEST, *CONTENT]  # any tar reads it


def test_a_size_over_eight_gigabytes_has_a_header():
    big = Member("databases/mop.db", 20 * 1024**3, "0" * 64)
    assert BackupManifest.from_json(manifest_of({}, members=(big,), databases={"mop": "sqlite"}).to_json())


def test_a_file_that_changes_while_it_is_written_stops_the_backup(tmp_path: Path):
    source = tmp_path / "x"
    source.write_bytes(b"secreT")
    with pytest.raises(BackupRefusedError, match=r"secret-key changed"):
        write_archive(
            io.BytesIO(),
            manifest_of({"secret-key": b"secret"}),
            {"secret-key": source},
            compress=False,
            progress=lambda _count: None,
        )


HOSTILE = [
    entry("../escape"),
    entry("/etc/mop-escape"),
    entry("secret-key/../../escape"),
    entry("secret-key", tarfile.SYMTYPE, linkname="/etc/passwd"),
    entry("secret-key", tarfile.LNKTYPE, linkname="/etc/passwd"),
    entry("secret-key", tarfile.DIRTYPE),
    entry("secret-key", tarfile.FIFOTYPE),
    entry("secret-key", tarfile.CHRTYPE, devmajor=1, devminor=3),
    entry("secret-key", tarfile.XHDTYPE),
    entry("secret-key", tarfile.GNUTYPE_LONGNAME),
    entry("secret-key", tarfile.GNUTYPE_SPARSE),
    entry("a" * 200),
]


@pytest.mark.parametrize("info", HOSTILE, ids=lambda info: f"{info.name[:20]}-{info.type!r}")
def test_hostile_members_are_refused_and_nothing_is_written_outside(
    tmp_path: Path, target: Path, info: tarfile.TarInfo
):
    path = forged(tmp_path, [(info, b"secret")])
    before = set(tmp_path.rglob("*"))
    with pytest.raises(BackupRefusedError):
        unpacked(path, target)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "name",
    [
        "../escape",
        "/etc/passwd",
        "databases/../../escape",
        "databases/other.db",
        "artifacts/blobs/aa/bb/../../../../x",
        blob_member("0" * 64).upper(),
        f"{blob_member(SHA)}/x",
        "artifacts/signatures/../../x.json",
        signature_member("0" * 64).replace("/00/", "/11/"),
        "environments/x",
        "",
        "secret-key\0",
    ],
)
def test_a_manifest_that_names_what_no_backup_holds_is_refused(tmp_path: Path, name: str):
    head = json.loads(manifest_of(CONTENT).to_json())
    head["members"].append([name, 1, "0" * 64])
    with pytest.raises(BackupRefusedError):
        read_manifest(forged(tmp_path, [], json.dumps(head).encode()))


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head.pop("members"),
        lambda head: head.update(members=[["secret-key", -1, "0" * 64]]),
        lambda head: head.update(members=[["secret-key", True, "0" * 64]]),
        lambda head: head.update(members=[["secret-key", 1, "x"]]),
        lambda head: head.update(members=[*head["members"], head["members"][0]]),
        lambda head: head.update(members=[[blob_member("1" * 64), 1, "0" * 64]]),
        lambda head: head.update(members=[[manifest_member("1" * 64), 1, "0" * 64]]),
        lambda head: head.update(databases={"mop": "sqlite"}),
        lambda head: head.update(databases={"mop": "oracle", "engine": "sqlite"}),
        lambda head: head.update(databases=[]),
        lambda head: head.update(engine_schema="x"),
        lambda head: head.update(format=2),
    ],
)
def test_a_malformed_manifest_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object]):
    head = json.loads(manifest_of(CONTENT).to_json())
    change(head)
    with pytest.raises(BackupRefusedError):
        read_manifest(forged(tmp_path, [], json.dumps(head).encode()))


def test_changed_content_is_refused(tmp_path: Path, target: Path):
    path = written(tmp_path, CONTENT, compress=False)
    data = bytearray(path.read_bytes())
    data[data.index(b"weights")] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupRefusedError, match="does not match its SHA-256"):
        unpacked(path, target)


@pytest.mark.parametrize("compress", [True, False])
def test_a_file_that_is_cut_short_anywhere_is_refused(tmp_path: Path, *, compress: bool):
    path = written(tmp_path, CONTENT, compress=compress)
    data = path.read_bytes()
    for number, end in enumerate(range(0, len(data), max(len(data) // 40, 1))):
        path.write_bytes(data[:end])
        target = tmp_path / f"cut{number}"
        target.mkdir()
        with pytest.raises(BackupRefusedError):
            unpacked(path, target)


def test_what_stands_after_the_end_is_refused(tmp_path: Path, target: Path):
    path = written(tmp_path, CONTENT, compress=False)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(BackupRefusedError, match="more than its manifest names"):
        unpacked(path, target)


def test_other_files_are_refused_whatever_they_are(tmp_path: Path):
    path = tmp_path / "other"
    for data in (b"", b"x", b"\0" * 4096, b"\x1f\x8b", gzip.compress(b"x" * 4096), b"PK\x03\x04" * 512):
        path.write_bytes(data)
        with pytest.raises(BackupRefusedError):
            read_manifest(path)
