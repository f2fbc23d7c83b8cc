"""How a version came out of its gates, as plain values: what is kept, shown, and enclosed in bundles."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from mop.releases.gates.verdicts import Measured, Part, Result


@dataclass(frozen=True)
class GatePart:
    """One value of a condition.

    Attributes:
        value: in the condition's unit; shares from 0 to 1; None where it was not measured.
        low: of the 95 % interval; None without one. `high` likewise.
        of: on how much it stands.
        reason: why there is no value; empty where there is.
        step: what would measure it; empty where nothing does, or nothing is missing.
    """

    where: str
    result: str
    value: float | None
    low: float | None
    high: float | None
    of: str
    reason: str
    step: str


@dataclass(frozen=True)
class GateRow:
    """One condition, and how it came out.

    Attributes:
        source: whose condition it is: `task` or `service`.
        gate: the name of that task or service.
        number: the version of its gate.
        task: the task whose evidence was read; empty where the condition is about the version as a whole.
        unit: of values and threshold: `share`, `rate`, `percent`, `milliseconds`, `rps`, `count`, `ratio`.
        ends: the threshold, or the two ends of the range.
    """

    source: str
    gate: str
    number: int
    task: str
    condition: str
    measure: str
    threshold: str
    unit: str
    ends: tuple[float, ...]
    result: str
    why: str
    parts: tuple[GatePart, ...]


@dataclass(frozen=True)
class GateDocument:
    """How a version came out of every condition that concerns it."""

    result: Result
    rows: tuple[GateRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    def count(self, result: Result) -> int:
        """How many conditions came out so."""
        return sum(row.result == result for row in self.rows)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        rows = tuple(
            GateRow(
                **{
                    **row,
                    "ends": tuple(row["ends"]),
                    "parts": tuple(GatePart(**part) for part in row["parts"]),
                }
            )
            for row in data["rows"]
        )
        return cls(Result(data["result"]), rows)

    @property
    def digest(self) -> str:
        """Of conditions and readings: two documents with one digest say the same."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def gate_part(part: Part) -> GatePart:
    """One value of a condition."""
    reading = part.reading
    if isinstance(reading, Measured):
        return GatePart(
            part.where, part.result.value, reading.value, reading.low, reading.high, reading.of, reason="", step=""
        )
    step = reading.step.value if reading.step else ""
    return GatePart(part.where, part.result.value, None, None, None, "", reading.reason, step)
