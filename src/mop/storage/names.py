"""Listings of model folders whose names strangers chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mop.errors import ModelStructureError
from mop.file_names import name_fault, quoted, shortened

_SHOWN = 20


def check_names(paths: Sequence[str]) -> None:
    """Refuse a listing with any name that could reach outside the folder, mislead a reader or not be stored.

    Args:
        paths: the files' paths relative to the model folder, with `/` between segments.

    Raises:
        ModelStructureError: names the first bad path and its fault; `also` holds up to 19 more.
    """
    faults = [f"{quoted(path)}: {fault}" for path in paths if (fault := name_fault(path)) is not None]
    faults.extend(_collisions(paths))
    if not faults:
        return
    raise ModelStructureError(
        f"The model folder holds a file name that is not allowed: {faults[0]}.",
        hint="Rename or delete the file in the model folder and onboard it again.",
        place=shortened(faults[0]),
        also=faults[1:_SHOWN],
    )


def _collisions(paths: Sequence[str]) -> Iterable[str]:
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            yield f"{quoted(path)}: the name is listed twice"
        seen.add(path)
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent in seen:
                yield f"{quoted(parent)}: the name is both a file and a folder (of {quoted(path)})"
                break
