"""What the API takes and gives about golden sets."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from ninja import Field, Schema

from mop.evaluation.case_runs.documents import CaseRunOut
from mop.golden_sets.models import NAME_MAX
from mop.golden_sets.reading import FileFormat


class GoldenSetIn(Schema):
    """A golden set, or the next version of one that has this name."""

    name: str = Field(max_length=NAME_MAX)
    format: FileFormat
    content: str = Field(description="the file's text: CSV with a header, or one JSON object a line")


@dataclass(frozen=True)
class GoldenVersionOut:
    """One version of a golden set.

    Attributes:
        is_newest: whether it is the one that counts.
        may_read_rows: whether the caller supplied it, and so may read its rows.
    """

    number: int
    is_newest: bool
    rows: int
    supplied_by: str
    supplied_at: dt.datetime
    may_read_rows: bool


@dataclass(frozen=True)
class GoldenSetOut:
    """A golden set with its versions, newest first."""

    task: str
    name: str
    created_by: str
    created_at: dt.datetime
    versions: tuple[GoldenVersionOut, ...]


@dataclass(frozen=True)
class GoldenSetPage:
    """The golden sets of a task, by name."""

    items: tuple[GoldenSetOut, ...]


@dataclass(frozen=True)
class GoldenRowOut:
    """One row with its content."""

    number: int
    expected: str
    content: Any


@dataclass(frozen=True)
class GoldenRowsOut:
    """The rows of a version."""

    task: str
    name: str
    version: int
    items: tuple[GoldenRowOut, ...]


@dataclass(frozen=True)
class FailureOut:
    """A row that failed.

    Attributes:
        predicted: null without an answer.
        error: the catalogue's name of why there is none.
    """

    row: int
    expected: str
    predicted: str | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class GoldenRunOut(CaseRunOut):
    """A version of a model on a version of a golden set.

    Attributes:
        is_newest: whether this version of the golden set is the one that counts.
        failures: of the result that stands, by row.
    """

    id: uuid.UUID
    model: str
    version: str
    task: str
    golden_set: str
    golden_version: int
    is_newest: bool
    failures: tuple[FailureOut, ...]


@dataclass(frozen=True)
class GoldenRunPage:
    """The runs of a version, by task and golden set."""

    items: tuple[GoldenRunOut, ...]
