"""Files read by the registry, in this process."""

from __future__ import annotations

from pathlib import Path

from mop.scanning.findings import FileVerdict
from mop.scanning.limits import ScanLimits
from mop.scanning.look import Look
from mop.scanning.pickles.own_code import OwnCode
from mop.scanning.unwrap import unwrap_file


def looked_at(folder: Path, content: bytes, name: str = "file", limits: ScanLimits | None = None) -> Look:
    """Everything that is found in a file."""
    path = folder / name
    path.write_bytes(content)
    look = Look("model-files", name, limits or ScanLimits(), len(content), OwnCode())
    unwrap_file(path, look)
    return look


def verdict(folder: Path, content: bytes, name: str = "file") -> FileVerdict:
    """The verdict of a file."""
    return looked_at(folder, content, name).verdict()


def rules(look: Look) -> set[str]:
    """The rules that it breaks."""
    return {finding.rule for finding in look.findings}
