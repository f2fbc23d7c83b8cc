"""What is dear to make and the same for every test process: made by the one that needs it first, kept for the others.

It is kept below .pytest_cache by the content of everything that it is made from, so that nobody meets an old one, and
for a day, because what is made has dates in it.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import functools
import hashlib
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".pytest_cache" / "made"
# a run may go on while a later one with other sources begins, so that its folder is not removed
KEPT = 3


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name, which `make` makes at the path it is given if no process has made it yet.

    Whoever gets it copies it and leaves it as it is.
    """
    folder = _folder()
    target, unfinished = folder / name, folder / f"{name}.unfinished"
    with _locked(folder / f"{name}.lock"):
        if not target.exists():
            shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
            make(unfinished)
            unfinished.rename(target)
    return target


@functools.cache
def _folder() -> Path:
    folder = FOLDER / _key()
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    others = sorted((path for path in FOLDER.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime)
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _key() -> str:
    """Of MOP's own code, of what makes databases of tests, of the libraries, and of the day."""
    found = hashlib.sha256()
    about = (sys.version, sqlite3.sqlite_version, sys.prefix, dt.datetime.now(tz=dt.UTC).date().isoformat())
    found.update(repr(about).encode())
    sources = [*(REPOSITORY / "src").rglob("*.py"), *(REPOSITORY / "tests" / "support").glob("*.py")]
    for path in [*sorted(sources), REPOSITORY / "requirements" / "dev.txt"]:
        found.update(str(path).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:32]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
