"""The model card of a version as values: made from evidence alone, so that the same evidence gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mop.loadtest.reading import read

FORMAT = 1


@dataclass(frozen=True)
class Number:
    """A metric with its 95 % interval; None is undefined, and for the ends: without an interval."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CardTask:
    """What the version decides: a task, and what its output calls the taxonomy."""

    taxonomy: str
    task: str
    modality: str
    label_type: str
    labels: tuple[str, ...]
    customized_name: str


@dataclass(frozen=True)
class CardDataset:
    """A hidden dataset that the version was measured on: its name and numbers, never a row.

    Attributes:
        labels: label and its number of rows; empty where labels are withheld.
    """

    name: str
    description: str
    label_type: str
    language: str
    rows: int | None
    labels: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class CardLabel:
    """One label's line of a classification report."""

    label: str
    support: int
    precision: Number
    recall: Number
    f1: Number


@dataclass(frozen=True)
class CardSlice:
    """A slice; where it is withheld there are no numbers, and `withheld` says why."""

    column: str
    value: str
    rows: int | None
    number: Number | None
    withheld: str


@dataclass(frozen=True)
class CardResult:
    """A measurement on one dataset for one task.

    Attributes:
        partition: of an ordinal task, the one that represents the result; the report by label is of it.
        metrics: of the whole.
    """

    task: str
    dataset: str
    measured_at: str
    is_stale: bool
    rows: int
    no_answer: int
    headline: Number
    partition: str
    metrics: tuple[Number, ...]
    labels: tuple[CardLabel, ...]
    slices: tuple[CardSlice, ...]


@dataclass(frozen=True)
class CardStep:
    """A step of a load test; milliseconds, and per cent of what the service was given."""

    target: int
    rps: float
    requests: int
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None
    cpu: float | None
    memory: float | None
    is_trusted: bool


@dataclass(frozen=True)
class CardLoadTest:
    """The newest finished load test of a modality."""

    modality: str
    option: str
    ended_at: str
    ended: str
    instance_type: str
    cpus: float | None
    memory_bytes: int | None
    steps: tuple[CardStep, ...]


@dataclass(frozen=True)
class CardFinding:
    """One finding of the scan, for readers who may see findings."""

    severity: str
    scanner: str
    rule: str
    path: str
    message: str
    is_waived: bool


@dataclass(frozen=True)
class CardFindings:
    """The newest scan.

    Attributes:
        severities: number of findings by severity, the worst first.
        waived: how many of them a waiver covers.
        verdicts: number of files by verdict.
        items: None for a reader who may not see single findings.
    """

    scanned_at: str
    decision: str
    is_complete: bool
    severities: tuple[tuple[str, int], ...]
    waived: int
    verdicts: tuple[tuple[str, int], ...]
    items: tuple[CardFinding, ...] | None


@dataclass(frozen=True)
class CardRate:
    """A pass rate on cases that people reported, or on a golden set; of the content nothing is told."""

    task: str
    what: str
    rate: Number
    of: str


@dataclass(frozen=True)
class CardVersion:
    """A version of the model that the reader may see."""

    version: str
    created_at: str
    status: str
    publish_status: str
    note: str


@dataclass(frozen=True)
class Card:
    """What is known of a version.

    Attributes:
        owners: user names.
        environment: packages that are installed, with their number.
        made_by: the version of MOP.
    """

    model: str
    version: str
    revision_id: str
    description: str
    note: str
    team: str
    owners: tuple[str, ...]
    tags: tuple[str, ...]
    status: str
    publish_status: str
    created_at: str
    created_by: str
    artifact_digest: str
    artifact_files: int | None
    artifact_bytes: int | None
    environment_key: str
    python_version: str
    packages: int | None
    intended_use: str
    limits: str
    tasks: tuple[CardTask, ...]
    datasets: tuple[CardDataset, ...]
    results: tuple[CardResult, ...]
    load_tests: tuple[CardLoadTest, ...]
    findings: CardFindings | None
    rates: tuple[CardRate, ...]
    versions: tuple[CardVersion, ...]
    made_by: str
    format: int = field(default=FORMAT)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """The JSON text, the same for the same card."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, indent=1) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The card that `to_dict` described.

        Raises:
            ValueError: the data has another form.
        """
        return read(cls, data)
