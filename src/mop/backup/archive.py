"""The one file of a backup: a tar, compressed by gzip, of plain files alone.

It is read block by block and not by `tarfile`, because it is untrusted even though it is the operator's: links,
devices, extended headers and long names are refused by their type before anything of them is read, names are compared
with the manifest and never joined to a path unseen, and sizes are the manifest's.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from mop.backup.members import MANIFEST, MANIFEST_BYTES_MAX, BackupManifest, Member, damaged
from mop.errors import BackupRefusedError

BLOCK = tarfile.BLOCKSIZE
CHUNK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_PLAIN = {tarfile.REGTYPE, tarfile.AREGTYPE}

Progress = Callable[[int], None]  # takes the number of bytes that were just done


def write_archive(
    file: IO[bytes], manifest: BackupManifest, sources: dict[str, Path], *, compress: bool, progress: Progress
) -> None:
    """Write manifest and members.

    Args:
        file: takes the archive.
        manifest: names the members.
        sources: where each member's content lies.
        compress: by gzip, at the speed of a disk: checkpoints hardly shrink.
        progress: is told of every chunk.

    Raises:
        BackupRefusedError: a file changed or went since the manifest was made.
    """
    with contextlib.ExitStack() as stack:
        target = file
        if compress:
            packed = gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1)
            target = cast("IO[bytes]", stack.enter_context(packed))
        data = manifest.to_json()
        target.write(_header(MANIFEST, len(data)))
        target.write(data)
        target.write(_padding(len(data)))
        for member in manifest.members:
            target.write(_header(member.name, member.size))
            with _source(sources, member) as source:
                if _copy(source, target, member.size, progress) != member.sha256 or source.read(1):
                    raise _changed(member)
            target.write(_padding(member.size))
        target.write(bytes(2 * BLOCK))


def read_manifest(path: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        BackupRefusedError: the file is none, is of a newer format, or cannot be read.
    """
    with _opened(path) as file:
        return _read_manifest(file)


def read_member(path: Path, name: str, *, bytes_max: int) -> bytes | None:
    """The content of a small member, verified; None when the backup holds none of that name.

    Raises:
        BackupRefusedError: the file is damaged before it, or the member is larger than `bytes_max`.
    """
    with _opened(path) as file:
        manifest = _read_manifest(file)
        for member in manifest.members:
            _expect(file, member)
            if member.name != name:
                _skip(file, member.size + len(_padding(member.size)))
                continue
            if member.size > bytes_max:
                raise damaged(f"{name} is too large")
            data = _exactly(file, member.size)
            if hashlib.sha256(data).hexdigest() != member.sha256:
                raise damaged(f"{name} does not match its SHA-256")
            return data
    return None


def unpack(path: Path, folder: Path, *, progress: Progress) -> BackupManifest:
    """Write every member below an empty folder, files 0600 and folders 0700, each verified by its SHA-256.

    Raises:
        BackupRefusedError: the archive is not exactly what its manifest says.
    """
    with _opened(path) as file:
        manifest = _read_manifest(file)
        for member in manifest.members:
            _expect(file, member)
            target = folder / member.name
            for parent in reversed(target.relative_to(folder).parents):
                (folder / parent).mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as output:
                if _copy(file, output, member.size, progress) != member.sha256:
                    raise damaged(f"{member.name} does not match its SHA-256")
            _skip(file, len(_padding(member.size)))
        if _exactly(file, 2 * BLOCK).strip(b"\0") or file.read(1):
            raise damaged("it holds more than its manifest names")
    return manifest


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


@contextlib.contextmanager
def _source(sources: dict[str, Path], member: Member) -> Iterator[IO[bytes]]:
    try:
        file = sources[member.name].open("rb")
    except FileNotFoundError as error:
        raise _changed(member) from error
    with file:
        yield file


def _changed(member: Member) -> BackupRefusedError:
    return BackupRefusedError(
        f"{member.name} changed while the backup was made.", hint="Run the backup again; nothing was kept of this one."
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The tar inside the file."""
    with path.open("rb") as raw:
        compressed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        try:
            if compressed:
                with gzip.GzipFile(fileobj=raw, mode="rb") as file:
                    yield cast("IO[bytes]", file)
            else:
                yield raw
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged("it is cut short or its compression is broken") from error


def _read_manifest(file: IO[bytes]) -> BackupManifest:
    info = _read_header(file)
    if info.name != MANIFEST or info.size > MANIFEST_BYTES_MAX:
        raise damaged("it does not begin with its manifest")
    manifest = BackupManifest.from_json(_exactly(file, info.size))
    _skip(file, len(_padding(info.size)))
    return manifest


def _expect(file: IO[bytes], member: Member) -> None:
    """The next header must be this member's."""
    info = _read_header(file)
    if (info.name, info.size) != (member.name, member.size):
        raise damaged(f"{info.name[:100]!r} stands where its manifest names {member.name}")


def _read_header(file: IO[bytes]) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(_exactly(file, BLOCK), "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise damaged("it is not a tar, or ends early") from error
    if info.type not in _PLAIN:
        raise damaged(f"{info.name[:100]!r} is not a plain file")
    return info


def _copy(source: IO[bytes], target: IO[bytes], size: int, progress: Progress) -> str:
    """Copy `size` bytes, or what there is; gives their SHA-256."""
    digest, left = hashlib.sha256(), size
    while left and (chunk := source.read(min(left, CHUNK_BYTES))):
        digest.update(chunk)
        target.write(chunk)
        progress(len(chunk))
        left -= len(chunk)
    return digest.hexdigest() if not left else ""


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise damaged("it is cut short")
    return data


def _skip(file: IO[bytes], size: int) -> None:
    while size:
        size -= len(_exactly(file, min(size, CHUNK_BYTES)))
