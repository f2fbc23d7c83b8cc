"""Scanner `model-files`: every file of the model folder, whatever its name, for code that runs when it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mop.scanning.findings import ScanReport
from mop.scanning.formats import HEAD_BYTES, Head, format_of
from mop.scanning.look import Look
from mop.scanning.pickles.own_code import OwnCode, own_code
from mop.scanning.scanner import Looking, Subject
from mop.scanning.unwrap import unwrap_file

NAME = "model-files"
_BATCH_FILES = 16
_BATCH_BYTES = 256 * 1024


class ModelFiles:
    """Takes every file apart and follows every pickle in it without loading it."""

    name = NAME

    def is_for(self, _path: str) -> bool:
        """Every file, whatever its name."""
        return True

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """One verdict for each file; the kinds that run code come first."""
        files = sorted(subject.files(), key=lambda file: (_urgency(file[1]), file[0]))
        own = own_code(subject.model)
        for batch in _batches(files):
            taken = subject.take([name for name, _ in batch])
            for name, path in batch:
                if name in taken:
                    yield Looking(name)
                    yield _scan(name, path, subject, own)


def _batches(files: list[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    """Files that a process takes at once: small ones together, so that asking for them costs little."""
    batch: list[tuple[str, Path]] = []
    size = 0
    for file in files:
        size += file[1].lstat().st_size
        batch.append(file)
        if size > _BATCH_BYTES or len(batch) >= _BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _scan(name: str, path: Path, subject: Subject, own: OwnCode) -> ScanReport:
    look = Look(NAME, name, subject.limits, path.lstat().st_size, own)
    try:
        unwrap_file(path, look)
    except OSError as error:
        look.incomplete(name, f"it cannot be read: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - a file may break any reader; it is then not clean
        look.broken_reader(name, error)
    return ScanReport((look.verdict(),), tuple(look.findings))


def _urgency(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return format_of(Head(file.read(HEAD_BYTES), path.lstat().st_size)).urgency
    except OSError:
        return 0
