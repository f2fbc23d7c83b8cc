"""What the parts of benchmarks/serving.py share: what they need, and where they write what they found."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from service_models import Environments, ModelFolder
from service_stacks import Clients


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of the rounds."""

    DIGITS: ClassVar[int] = 2  # shown behind the point of what is under 100

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of some values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        digits = self.DIGITS if self.median < 100 else 0
        return f"{self.median:.{digits}f} ({self.least:.{digits}f}..{self.greatest:.{digits}f})"


@dataclass
class Aim:
    """What the service is to reach, and what it reached."""

    text: str
    wanted: str
    found: str
    reached: bool

    def __str__(self) -> str:
        return f"{'reached' if self.reached else 'MISSED ':7}  {self.text}: {self.found}, wanted {self.wanted}"


@dataclass
class Report:
    """Everything that was measured; `--json` writes it."""

    machine: str
    options: dict[str, object]
    cells: list[dict[str, object]] = field(default_factory=list)
    workers: list[dict[str, object]] = field(default_factory=list)
    modes: list[dict[str, object]] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    overload: dict[str, object] = field(default_factory=dict)
    images: list[dict[str, object]] = field(default_factory=list)
    bound: dict[str, object] = field(default_factory=dict)
    costs: dict[str, object] = field(default_factory=dict)
    aims: list[Aim] = field(default_factory=list)
    errors: int = 0

    def aim(self, text: str, wanted: str, found: str, *, reached: bool) -> None:
        """Note one aim."""
        self.aims.append(Aim(text, wanted, found, reached))


@dataclass(frozen=True)
class Bench:
    """What every measurement needs.

    Attributes:
        rivals: the Python of each other model server that is compared, by name; None: none is asked for.
    """

    environments: Environments
    models: dict[str, ModelFolder]
    clients: Clients
    root: Path
    rounds: int
    seconds: float
    counts: tuple[int, ...]
    unix: bool
    report: Report
    rivals: dict[str, Path] | None = None
