"""Reading an export of OSV, a zip of one JSON file for each record, as a stranger's file: never unpacked."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from mop.errors import AdvisoryImportError
from mop.scanning.dependencies.records import RECORD_BYTES_MAX, Advisory, read_record

FILE_BYTES_MAX = 1024**3
MEMBERS_MAX = 250_000
EXPANSION_MAX = 100
EXPANSION_FLOOR_BYTES = 64 * 1024**2
_DIRECTORY_BYTES_MAX = 24 * 1024**2
_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}\.json")
_ENCRYPTED = 0x1
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError)


class _BoundedFile(io.BufferedReader):
    """A file of which nobody reads much at once; `zipfile` reads the whole directory of an archive in one go."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _DIRECTORY_BYTES_MAX + 1 if size is None or size < 0 else size
        if wanted > _DIRECTORY_BYTES_MAX + 1:
            raise zipfile.BadZipFile("its directory is too long")
        return super().read(wanted)


def open_export(file: Path) -> io.BufferedReader:
    """The file, opened once for all that is read of it.

    Raises:
        AdvisoryImportError: it cannot be read, is no regular file, or is too large.
    """
    try:
        if not file.is_file():
            raise AdvisoryImportError(f"{file} is no file.")
        opened = _BoundedFile(io.FileIO(file))
    except OSError as error:
        raise AdvisoryImportError(f"{file} cannot be read: {error.strerror}.") from error
    if opened.seek(0, io.SEEK_END) > FILE_BYTES_MAX:
        opened.close()
        raise AdvisoryImportError(f"{file} has more than {FILE_BYTES_MAX:,} bytes.")
    opened.seek(0)
    return opened


def read_export(opened: io.BufferedReader) -> Iterator[Advisory]:
    """Every record of an export, those of other ecosystems included.

    Raises:
        AdvisoryImportError: it is no zip, breaks a bound, or holds anything but records that can be read; what was
            yielded before must then not be used.
    """
    size = opened.seek(0, io.SEEK_END)
    left = max(EXPANSION_FLOOR_BYTES, size * EXPANSION_MAX)
    try:
        with zipfile.ZipFile(opened) as archive:
            members = archive.infolist()
            _check_names(members)
            for member in members:
                data = _read(archive, member)
                left -= len(data)
                if left < 0:
                    raise AdvisoryImportError(
                        f"It grows to more than {EXPANSION_MAX} times its size when it is unpacked."
                    )
                yield _record(member.filename, data)
    except _ZIP_ERRORS as error:
        raise AdvisoryImportError(f"It cannot be read as a zip: {_plain(str(error))}.") from error
    except OSError as error:
        raise AdvisoryImportError(f"It cannot be read: {error.strerror or _plain(str(error))}.") from error


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS_MAX:
        raise AdvisoryImportError(f"It has more than {MEMBERS_MAX:,} members.")
    if not members:
        raise AdvisoryImportError("It is empty.")
    for member in members:
        if not _MEMBER.fullmatch(member.filename) or member.flag_bits & _ENCRYPTED:
            raise AdvisoryImportError(
                f"Its member {_plain(member.filename)} is not named as a record, or is encrypted."
            )


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(RECORD_BYTES_MAX + 1)
    if len(data) > RECORD_BYTES_MAX:
        raise AdvisoryImportError(f"Its member {member.filename} has more than {RECORD_BYTES_MAX:,} bytes.")
    return data


def _record(name: str, data: bytes) -> Advisory:
    try:
        return read_record(data)
    except ValueError as error:
        raise AdvisoryImportError(f"Its member {name} is no advisory: {_plain(str(error))}.") from error


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:200].rstrip(".")
