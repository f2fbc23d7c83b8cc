"""What every format is: a class that knows a file by its content, and reads it for what runs when it is loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import IO, ClassVar, Protocol

from mop.scanning.look import Look
from mop.scanning.reader import ByteStream, Reader

HEAD_BYTES = 4096
"""What a format is known by."""


@dataclass(frozen=True)
class Head:
    """The beginning of a file or a part, by which it is known.

    Attributes:
        data: at most `HEAD_BYTES`.
        size: of the whole in bytes, where that is known.
    """

    data: bytes
    size: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing behind it."""
        return len(self.data) < HEAD_BYTES


class Opener(Protocol):
    """Reads what a container holds, as a part of its own."""

    def __call__(
        self,
        stream: ByteStream,
        name: str,
        depth: int,
        /,
        *,
        known: Format | None = None,
        file: IO[bytes] | None = None,
        size: int | None = None,
    ) -> None:
        """Read it to its end; `known` when the container says what it is, `file` and its size for random access."""


@dataclass
class Part:
    """A file, or what came out of one.

    Attributes:
        name: the file's path; parts follow their container's after `!`.
        reader: stands at its first byte.
        look: takes what is found.
        depth: containers around it.
        open: reads a part of it.
        size: in bytes, where that is known.
        file: for random access, where there is one; at an unknown place.
        followed: bytes from the beginning that were followed as pickles, to their end.
    """

    name: str
    reader: Reader
    look: Look
    depth: int
    open: Opener
    size: int | None = None
    file: IO[bytes] | None = None
    followed: int = 0


class Format(ABC):
    """One format. Everything that it reads is hostile: any error of reading ends with "not fully scanned".

    Attributes:
        name: how documentation and findings call it.
        runs: what in it runs code or reaches out when it is loaded the usual way.
        seen: what MOP looks at.
        is_searched: whether its bytes are searched for pickles besides, as no text is.
        urgency: those with the least are read first.
        gives_way: where a container says that a part is of this format, another that knows the content reads it.
    """

    name: ClassVar[str]
    runs: ClassVar[str]
    seen: ClassVar[str]
    is_searched: ClassVar[bool] = False
    urgency: ClassVar[int] = 5
    gives_way: ClassVar[bool] = False

    @abstractmethod
    def recognises(self, head: Head) -> bool:
        """Whether a file that begins so is of this format."""

    @abstractmethod
    def examine(self, part: Part) -> None:
        """Read a part and tell what is found.

        Raises:
            OSError, EOFError, ValueError: it breaks off, or cannot be read.
        """
