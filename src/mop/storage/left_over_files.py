"""Files that operating systems and tools leave in a folder, which no model needs."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini", ".ipynb_checkpoints"})
_APPLE_DOUBLE = "._"
_SHOWN = 5


def is_left_over(path: str) -> bool:
    """Whether a part of the relative path is such a file or folder."""
    return any(part.startswith(_APPLE_DOUBLE) or part.casefold() in _NAMES for part in path.split("/"))


def told(paths: Sequence[str]) -> str:
    """The sentence that names them."""
    shown = ", ".join(sorted(paths)[:_SHOWN]) + (" ..." if len(paths) > _SHOWN else "")
    return f"Left out, since operating systems and tools wrote it: {shown}"
