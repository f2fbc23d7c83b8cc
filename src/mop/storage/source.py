"""A source: where a model folder is read from, whatever storage holds it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mop.errors import ModelStructureError


@dataclass(frozen=True)
class SourceFile:
    """One file as the storage lists it.

    Attributes:
        path: relative to the model folder, `/` between segments; not yet checked.
        size: in bytes.
        etag: changes whenever the content does.
    """

    path: str
    size: int
    etag: str


class Source(Protocol):
    """A folder that can be listed and whose files can be read."""

    async def list(self, *, at_most: int) -> Sequence[SourceFile]:
        """Every file below the folder, in any order.

        Args:
            at_most: the listing stops with ModelStructureError when there are more files than this.

        Raises:
            ModelUrlNotFoundError: there is no such folder, or it holds no file.
            ModelUrlForbiddenError: it may not be read.
            ModelStructureError: it holds too many files, or something that is not a file.
            StorageUnavailableError: the storage does not answer.
        """
        ...

    def read(self, file: SourceFile, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The file's bytes from `start` on, in chunks.

        Raises:
            SourceChangedError: the file is no longer the one that was listed.
        """
        ...

    async def close(self) -> None:
        """Give back connections and descriptors."""
        ...


def too_many(at_most: int) -> ModelStructureError:
    """The error for a folder over the cap on files."""
    return ModelStructureError(
        f"The model folder holds more than {at_most:,} files.",
        hint=f"Keep the model folder to at most {at_most:,} files, for example by packing data files together.",
    )
