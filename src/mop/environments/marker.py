"""environment.json: written last, so an environment that has it is complete."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "environment.json"


@dataclass(frozen=True, kw_only=True)
class Marker:
    """What a finished environment says about itself; `files` is the digest of its list of files.

    The file's own time of change tells when the environment was last found whole, or last used.
    """

    key: str
    files: str
    interpreter: str
    python_version: str
    pip_version: str
    packages: tuple[str, ...]
    notes: tuple[str, ...]


def write_marker(folder: Path, marker: Marker) -> None:
    """Write the marker, whole or not at all, after everything else has reached the disk's queue."""
    temporary = folder / f".{NAME}"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(marker), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.chmod(0o644)
    temporary.replace(folder / NAME)


def read_marker(folder: Path) -> Marker | None:
    """The marker of a complete environment; None if there is none that can be read."""
    try:
        data = json.loads((folder / NAME).read_bytes())
        return Marker(**{**data, "packages": tuple(data["packages"]), "notes": tuple(data["notes"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def touch_marker(folder: Path) -> None:
    """Note that the environment is used now; one that is gone stays gone."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(folder / NAME)


def last_used(folder: Path) -> float:
    """When the environment was last used, in seconds since the epoch; 0 for one without a marker."""
    try:
        return (folder / NAME).stat().st_mtime
    except OSError:
        return 0.0
