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
        seconds: for one file.
        files: files and folders in a model folder before it is called too many.
        file_bytes: one file of it.
        folder_bytes: all of them.
    """

    depth: int = 6
    members: int = 100_000
    expansion: int = 100
    expansion_floor_bytes: int = 256 * MIB
    spool_bytes: int = 96 * MIB
    seconds: float = 600.0
    files: int = 10_000
    file_bytes: int = 20 * 1024 * MIB
    folder_bytes: int = 20 * 1024 * MIB
