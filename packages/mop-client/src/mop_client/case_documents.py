"""What the server answers about DSAT cases, golden sets and regression tests, as types. Fields may be added later."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from mop_client.documents import ErrorDocument
from mop_client.result_documents import Interval

CaseKind = Literal["falsePositive", "falseNegative"]
CaseState = Literal["open", "assigned", "confirmed", "fixed", "closed", "rejected"]
ImportState = Literal["uploading", "queued", "running", "finished", "failed", "cancelled"]
RunStatus = Literal["queued", "running", "finished", "failed", "mappingError", "cancelled"]
Change = Literal["newly broken", "newly fixed", "still failing", "fails", "passes"]


class FixedBy(TypedDict):
    """A version that answers a case as expected."""

    model: str
    version: str


class Comment(TypedDict):
    """What somebody said about a case."""

    author: str
    created_at: str
    text: str


class Similar(TypedDict):
    """A near duplicate, and the estimated Jaccard similarity."""

    number: str
    similarity: float


class Case(TypedDict):
    """A DSAT case. Description, tags and trace id are None for those who may not read its content."""

    number: str
    task: str
    state: CaseState
    state_description: str
    kind: CaseKind | None
    expected_label: str | None
    predicted_label: str | None
    service: str
    submitter: str | None
    assignee: str | None
    restricted: bool
    edition: int
    fixed_by: FixedBy | None
    created_at: str
    changed_at: str
    may_read: bool
    description: str | None
    tags: list[str] | None
    trace_id: str | None


class CaseDetail(Case):
    """A case with its comments and near duplicates."""

    comments: list[Comment]
    similar: list[Similar]


class RowFault(TypedDict):
    """Why a row was refused; nothing of the row is quoted."""

    row: int
    column: str
    reason: str


class Import(TypedDict):
    """A file of cases and its report: how many rows were added, known already, and refused."""

    id: str
    task: str
    file_name: str
    size: int
    state: ImportState
    state_description: str
    is_final: bool
    percent: int
    rows: int
    added: int
    known: int
    refused: int
    faults: list[RowFault]
    error: ErrorDocument | None
    created_at: str


class Access(TypedDict):
    """Who reads the cases of a task beside its owners: a team, or an administrator."""

    id: int
    team: str | None
    administrator: str | None
    granted_by: str
    granted_at: str


class GoldenVersion(TypedDict):
    """One version of a golden set; `is_newest` is the one that counts."""

    number: int
    is_newest: bool
    rows: int
    supplied_by: str
    supplied_at: str
    may_read_rows: bool


class GoldenSet(TypedDict):
    """A golden set with its versions, newest first."""

    task: str
    name: str
    created_by: str
    created_at: str
    versions: list[GoldenVersion]


class GoldenRow(TypedDict):
    """One row with its content."""

    number: int
    expected: str
    content: Any


class GoldenRows(TypedDict):
    """The rows of a version of a golden set, for who supplied it."""

    task: str
    name: str
    version: int
    items: list[GoldenRow]


class _CaseRun(TypedDict):
    """A run of a version over cases; `pass_rate` is None before a result, `is_measured` tells whether one stands."""

    status: RunStatus
    is_final: bool
    is_measured: bool
    is_stale: bool
    progress: int
    error: ErrorDocument | None
    cases: int | None
    passed: int | None
    failed: int | None
    no_answer: int | None
    pass_rate: float | None
    interval: Interval | None
    measured_at: str | None
    id: str
    model: str
    version: str


class Failure(TypedDict):
    """A row that failed; `predicted` is None without an answer, `error` names why."""

    row: int
    expected: str
    predicted: str | None
    error: str | None


class GoldenRun(_CaseRun):
    """A version of a model on a version of a golden set."""

    task: str
    golden_set: str
    golden_version: int
    is_newest: bool
    failures: list[Failure]


class TaskRate(TypedDict):
    """The pass rate of a task with cases."""

    task: str
    cases: int
    passed: int
    failed: int
    pass_rate: float
    interval: Interval | None


class RegressionComparison(TypedDict):
    """Against another version, on the cases that both were tested on; `p` is McNemar's test, two-sided."""

    model: str
    version: str
    cases: int
    fixed: int
    broken: int
    difference: float | None
    p: float
    is_significant: bool


class Regression(_CaseRun):
    """The regression test of a version; `comparison` is with the version before, or the one that was named."""

    tasks: list[TaskRate]
    comparison: RegressionComparison | None


class Outcome(TypedDict):
    """How one DSAT case came out; `before` is the other version's label or error."""

    case: int
    task: str
    kind: str
    expected: str
    predicted: str | None
    error: str | None
    passed: bool
    before: str | None
    change: Change
    created_at: str
