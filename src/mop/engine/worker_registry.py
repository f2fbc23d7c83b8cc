"""The roll of workers, for people who ask which ones live."""

from __future__ import annotations

import fcntl
from pathlib import Path

from django.conf import settings

from mop.engine.liveness import living_workers

LOCKS = "workers"


def names_of_living_workers() -> list[str]:
    """Names of the workers that live: by their heartbeats on PostgreSQL, else by the locks on this host."""
    if settings.MOP_MANY_WORKERS:
        living = living_workers(settings.MOP_WORKER_STALE_SECONDS)
        return sorted(set(living.values_list("name", flat=True)))
    return sorted(path.stem for path in lock_folder().glob("*.lock") if _is_held(path))


def process_of(name: str) -> int | None:
    """The process of this host's worker of a name; None where none runs."""
    path = lock_folder() / f"{name}.lock"
    try:
        return int(path.read_text("ascii")) if _is_held(path) else None
    except (OSError, ValueError):  # it is being taken, or never was
        return None


def lock_folder() -> Path:
    """Where each worker of this host holds a lock on its name."""
    return Path(settings.MOP_HOME) / LOCKS


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
