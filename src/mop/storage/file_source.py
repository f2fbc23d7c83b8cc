"""A model folder on this machine. Every component below the root is opened without following symbolic links."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mop.errors import (
    ModelStructureError,
    ModelUrlForbiddenError,
    ModelUrlNotFoundError,
    MopError,
    SourceChangedError,
    StorageUnavailableError,
)
from mop.file_names import quoted
from mop.storage.principals import file_principal
from mop.storage.source import SourceFile, too_many
from mop.storage.urls import FileLocation

_CHUNK_BYTES = 1 << 20
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # O_NONBLOCK: a FIFO must not hang the open
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}
_SHOWN = 20


class FileSource:
    """Reads a folder below an allowed root."""

    def __init__(self, location: FileLocation) -> None:
        self._location = location
        self._folder: int | None = None

    @classmethod
    def of_folder(cls, folder: Path) -> FileSource:
        """A folder that the caller trusts as its own root."""
        return cls(FileLocation(root=Path(os.path.realpath(folder)), parts=()))

    async def list(self, *, at_most: int) -> Sequence[SourceFile]:
        return await asyncio.to_thread(self._walk, at_most)

    async def read(self, file: SourceFile, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        descriptor = await asyncio.to_thread(self._open_file, file)
        try:
            os.lseek(descriptor, start, os.SEEK_SET)
            left = file.size - start
            while chunk := await asyncio.to_thread(self._read_chunk, descriptor, file):
                left -= len(chunk)
                if left < 0:  # a file that grows for ever must not fill the store
                    raise _changed(file.path)
                yield chunk
            if left or _etag(os.fstat(descriptor)) != file.etag:
                raise _changed(file.path)
        finally:
            os.close(descriptor)

    async def close(self) -> None:
        """See `Source.close`."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def _walk(self, at_most: int) -> Sequence[SourceFile]:
        walk = _Walk(at_most=at_most)
        folders = [""]
        while folders:
            relative = folders.pop()
            try:
                descriptor = _open_below(self._folder_descriptor(), relative, _FOLDER_FLAGS)
            except OSError as error:
                raise self._fault(error, relative) from error
            try:
                folders.extend(walk.enter(descriptor, relative))
            except OSError as error:
                raise self._fault(error, relative) from error
            finally:
                os.close(descriptor)
        if walk.refused:
            raise ModelStructureError(
                f"The model folder may hold regular files and folders only; {walk.refused[0]}.",
                hint="Replace it by a regular file, or delete it.",
                place=walk.refused[0].rpartition(" is ")[0],
                also=walk.refused[1:_SHOWN],
            )
        if not walk.files:
            raise ModelUrlNotFoundError(
                f"The folder {self._location} holds no file.",
                hint="Check its name: the files must stand in it.",
            )
        return walk.files

    def _folder_descriptor(self) -> int:
        if self._folder is None:
            try:
                root = os.open(self._location.root, _FOLDER_FLAGS)
            except OSError as error:
                raise self._fault(error, "") from error
            try:
                self._folder = _open_below(root, "/".join(self._location.parts), _FOLDER_FLAGS)
            except OSError as error:
                raise self._url_fault(error) from error
            finally:
                os.close(root)
        return self._folder

    def _open_file(self, file: SourceFile) -> int:
        try:
            descriptor = _open_below(self._folder_descriptor(), file.path, _FILE_FLAGS)
        except OSError as error:
            raise self._fault(error, file.path) from error
        if not stat.S_ISREG((status := os.fstat(descriptor)).st_mode) or _etag(status) != file.etag:
            os.close(descriptor)
            raise _changed(file.path)
        return descriptor

    def _read_chunk(self, descriptor: int, file: SourceFile) -> bytes:
        try:
            return os.read(descriptor, _CHUNK_BYTES)
        except OSError as error:
            raise self._fault(error, file.path) from error

    def _url_fault(self, error: OSError) -> MopError:
        """Why the folder itself could not be opened."""
        if error.errno == errno.ENOENT:
            return ModelUrlNotFoundError(f"There is no folder {self._location}.")
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:  # O_DIRECTORY on a symbolic link gives ENOTDIR
            return self._no_folder()
        return self._fault(error, "")

    def _no_folder(self) -> MopError:
        path = self._location.root
        for part in self._location.parts:
            path /= part
            if path.is_symlink():
                return ModelUrlForbiddenError(
                    f"{quoted(str(path))} in the model url is a symbolic link, which may lead out of the root.",
                    hint="Write the real path of the folder in the model url.",
                )
        return ModelUrlNotFoundError(
            f"{self._location} is a file, not a folder.", hint="Write the folder that holds model/ and src/."
        )

    def _fault(self, error: OSError, relative: str) -> MopError:
        """Why something inside the folder could not be read."""
        where = quoted(relative) if relative else str(self._location)
        if error.errno in {errno.EACCES, errno.EPERM}:
            return ModelUrlForbiddenError(
                f"{where} may not be read by {file_principal()}.",
                hint="Give that user read permission on the files and read and enter permission on the folders.",
                place=where,
            )
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return _changed(relative) if relative else ModelUrlNotFoundError(f"There is no folder {self._location}.")
        return StorageUnavailableError(f"{where} cannot be read: {error.strerror}.", place=where)


@dataclass
class _Walk:
    at_most: int
    files: list[SourceFile] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    folders: int = 0

    def enter(self, descriptor: int, relative: str) -> list[str]:
        """Take in one folder; gives the folders inside it."""
        below: list[str] = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                path = f"{relative}/{entry.name}" if relative else entry.name
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError as error:
                    raise _changed(path) from error
                if stat.S_ISDIR(status.st_mode):
                    below.append(path)
                elif stat.S_ISREG(status.st_mode):
                    self.files.append(SourceFile(path=path, size=status.st_size, etag=_etag(status)))
                else:
                    self.refused.append(
                        f"{quoted(path)} is {_KINDS.get(stat.S_IFMT(status.st_mode), 'a special file')}"
                    )
                if max(len(self.files), len(self.refused), self.folders + len(below)) > self.at_most:
                    raise too_many(self.at_most)
        self.folders += len(below)
        return below


def _open_below(folder: int, relative: str, flags: int) -> int:
    """Open a path below a folder, component by component, following no symbolic link anywhere."""
    parts = relative.split("/") if relative else ["."]
    current = os.dup(folder)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=current)
            os.close(current)
            current = inner
        return os.open(parts[-1], flags, dir_fd=current)
    finally:
        os.close(current)


def _etag(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"


def _changed(path: str) -> SourceChangedError:
    return SourceChangedError(f"{quoted(path)} changed while it was read.", place=quoted(path))
