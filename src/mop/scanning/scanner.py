"""What every scanner is given and gives back."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mop.scanning.findings import ScanReport
from mop.scanning.limits import ScanLimits

ENVIRONMENT_FILES = "environment:files"
"""How findings and verdicts call what belongs to no package of an environment, or to all."""


@dataclass(frozen=True)
class Subject:
    """What is scanned: a model folder, an environment, or both.

    Attributes:
        model: the unpacked model folder, with model/, src/ and perhaps privatepkgs/.
        environment: a built environment; its files are read, its Python never runs. What is found in it depends on
            nothing else.
        limits: bounds of the scan.
        skip: files, by their path below the model folder, and packages (`environment:six-1.16.0`) that were seen.
        left_out: files and folders that are no part of the model, by their paths; nothing is said of them.
        take: in a process that shares the files with others: those of some files that are this process's to look at.
    """

    model: Path | None = None
    environment: Path | None = None
    limits: ScanLimits = field(default_factory=ScanLimits)
    skip: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    take: Callable[[Sequence[str]], Sequence[str]] = field(default=list, compare=False)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every regular file of the model folder that is not skipped, by its path below the folder, in their order.

        Raises:
            OSError: a folder cannot be listed.
        """
        if self.model is None:
            return
        found = []
        for folder, _, names in os.walk(self.model, onerror=_raise):
            found += [Path(folder, name) for name in names]
        for path in sorted(found):
            name = path.relative_to(self.model).as_posix()
            if name not in self.skip and name not in self.left_out and stat.S_ISREG(path.lstat().st_mode):
                yield name, path

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "model": str(self.model) if self.model else None,
            "environment": str(self.environment) if self.environment else None,
            "limits": asdict(self.limits),
            "skip": sorted(self.skip),
            "left_out": sorted(self.left_out),
        }

    @staticmethod
    def from_dict(value: dict[str, Any]) -> Subject:
        """From the JSON form."""
        return Subject(
            model=Path(value["model"]) if value["model"] else None,
            environment=Path(value["environment"]) if value["environment"] else None,
            limits=ScanLimits(**value["limits"]),
            skip=frozenset(value["skip"]),
            left_out=frozenset(value["left_out"]),
        )


def _raise(error: OSError) -> None:
    raise error


@dataclass(frozen=True)
class Looking:
    """A scanner begins with a file: were it to end the process, this one is to blame."""

    path: str


class Scanner(Protocol):
    """One way of looking. Runs in the cage, one file after the other, and trusts nothing that it reads."""

    name: str

    def is_for(self, path: str) -> bool:
        """Whether a file of this path below the model folder is one that this scanner has to see."""

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """Look at everything that this scanner is for: say what is looked at, then what was found there."""
