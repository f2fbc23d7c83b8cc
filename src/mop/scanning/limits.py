"""How much a scan looks at before it says that it did not see everything."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2


@dataclass(frozen=True)
class ScanLimits:
    """Bounds of one scan.

    Attributes:
        depth: containers within containers.
        members: files in all containers of one file together.
        expansion: times its own size that a file may grow to, above `expansion_floor_bytes`.
        expansion_floor_bytes: what any file may grow to.
        spool_bytes: size of a container within a container that needs random access, kept in memory.
        seconds: of processor time for one file, whatever its size.
        bytes_per_second: a file may take a second more for so many of its bytes, and of what comes out of them; far
            fewer than the slowest reader takes, so that a slow machine reads ordinary files to their end.
        files: files and folders in a model folder before it is called too many.
        file_bytes: one file of it.
        folder_bytes: all of them.
    """

    depth: int = 6
    members: int = 100_000
    expansion: int = 100
    expansion_floor_bytes: int = 256 * MIB
    spool_bytes: int = 96 * MIB
    seconds: float = 60.0
    bytes_per_second: int = MIB
    files: int = 10_000
    file_bytes: int = 20 * 1024 * MIB
    folder_bytes: int = 20 * 1024 * MIB

    def seconds_for(self, count: int) -> float:
        """Of processor time, for reading so many bytes."""
        return self.seconds + count / self.bytes_per_second

    def seconds_at_most(self, size: int) -> float:
        """Of processor time, for a file of this size and everything that may come out of it."""
        return self.seconds_for(size + self.expanded_bytes(size))

    def expanded_bytes(self, size: int) -> int:
        """What may come out of a file of this size."""
        return max(self.expansion_floor_bytes, size * self.expansion)
