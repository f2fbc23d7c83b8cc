"""The files of one scanner, shared out among the processes that run it side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from mop.scanning.scanner import Subject

PROCESSES_MAX = 4
"""Of one scanner at the same time: each may hold as much memory as one alone."""
_SHARED_BYTES = 64 * 1024**2
_SHARED_FILES = 2_000
"""What one process reads before another has started is not shared."""


class SharedFiles:
    """Which process has which file; the outside decides, so that no process takes what another looks at.

    Args:
        names: every file, by its path below the model folder.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._free = set(names)
        self._taken: dict[str, object] = {}

    def take(self, owner: object, names: Sequence[object]) -> list[str]:
        """Give a process what it asks for and nobody else has; what it took before is still its own."""
        given = []
        for name in names:
            if not isinstance(name, str):
                continue
            if name in self._free:
                self._free.remove(name)
                self._taken[name] = owner
            if self._taken.get(name) is owner:
                given.append(name)
        return given

    def has(self, owner: object, name: str) -> bool:
        """Whether a process has taken this file."""
        return self._taken.get(name) is owner


def processes_for(subject: Subject, cpus: int) -> tuple[int, SharedFiles | None]:
    """How many processes look at the files of a model folder, and how they share them; one alone shares nothing."""
    names: dict[str, int] = {}
    with suppress(OSError):  # a folder that cannot be listed is told by the scanners
        names = {name: path.lstat().st_size for name, path in subject.files()}
    count = min(cpus, PROCESSES_MAX, len(names))
    if count <= 1 or (sum(names.values()) < _SHARED_BYTES and len(names) < _SHARED_FILES):
        return 1, None
    return count, SharedFiles(names)
