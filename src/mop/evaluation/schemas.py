"""What the API gives about evaluations."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.errors import ErrorDocument
from mop.evaluation.checks import Check
from mop.evaluation.reports.comparison import ComparisonOut
from mop.evaluation.reports.document import IntervalOut, LabelOut, MatrixOut, PartitionOut, SliceOut
from mop.evaluation.reports.scores import CalibrationFigures, ScoreFigures

StateName = Literal["queued", "running", "finished", "failed", "mappingError", "cancelled"]
AverageName = Literal["macro", "micro", "weighted"]
MetricName = Literal["f1", "precision", "recall", "accuracy"]


@dataclass(frozen=True)
class EvaluationOut:
    """One evaluation in a list.

    Attributes:
        status: of the newest run.
        is_final: whether nothing changes by itself any more.
        is_measured: whether a result stands, also while a further run goes on.
        is_stale: environment, dataset or mapping changed since it was measured.
        progress: per cent of the rows, in steps of 5.
        ends_about: an estimate while it runs.
        tries: of the newest run; more than one after causes outside the model.
        retry_at: when it is tried again after such a cause, which `error` tells.
        headline: macro F1; of an ordinal task F1 of the representing partition; null is undefined.
        metrics: of lists; null is undefined. Empty without a result.
        visibility: `public`, `published` (a single result of a private version) or `private`.
    """

    id: uuid.UUID
    model: str
    version: str
    task: str
    dataset: str
    status: StateName
    is_final: bool
    is_measured: bool
    is_stale: bool
    progress: int
    ends_about: dt.datetime | None
    tries: int
    retry_at: dt.datetime | None
    error: ErrorDocument | None
    rows: int | None
    no_answer: int | None
    headline: float | None
    headline_interval: IntervalOut | None
    metrics: Mapping[str, float | None]
    measured_at: dt.datetime | None
    visibility: Literal["public", "published", "private"]


@dataclass(frozen=True)
class EvaluationPage:
    """Evaluations of a version, by dataset and task; `next` is the cursor of the page after, null on the last."""

    items: tuple[EvaluationOut, ...]
    next: str | None


@dataclass(frozen=True)
class VerificationOut:
    """A result computed again by other code.

    Attributes:
        holds: whether every number holds; null until it finished.
        rows_again: how many random rows are inferred again.
        is_current: whether the result that was verified is the one that stands.
        checks: every number: as it is kept, as it was computed, and whether both are the same.
    """

    id: uuid.UUID
    model: str
    version: str
    task: str
    dataset: str
    status: Literal["queued", "running", "finished", "failed"]
    is_final: bool
    holds: bool | None
    is_current: bool
    rows_again: int
    error: ErrorDocument | None
    created_by: str
    created_at: dt.datetime
    ended_at: dt.datetime | None
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class HeadlineOut:
    """The headline dataset of a task; null while no dataset is approved.

    Attributes:
        is_chosen: whether an owner of the task chose it; else it is the largest that is approved.
    """

    task: str
    dataset: str | None
    is_chosen: bool


class VerifyIn(InputSchema):
    """How a result is verified."""

    rows: int = Field(default=200, ge=0, le=10_000, description="random rows to infer again; 0: no service")


class HeadlineIn(InputSchema):
    """Which dataset is a task's headline dataset."""

    dataset: str | None = Field(description="approved for the task; null: the largest that is approved")


@dataclass(frozen=True)
class DigestsOut:
    """What the numbers depend on."""

    artifact: str
    environment: str
    dataset: str
    mapping: str
    metric_code: str


@dataclass(frozen=True)
class EvaluationDetailOut:
    """One evaluation with everything that its result tells; without a result the parts of it are null or empty.

    Attributes:
        error_counts: catalogue errors of rows without an answer, and how many rows.
        failed_rows: first row numbers of each; for owners of the dataset who are of its team.
        comparison: with the version that `with` names.
    """

    evaluation: EvaluationOut
    status: StateName
    labels: tuple[str, ...]
    levels: tuple[str, ...]
    merges: Mapping[str, str]
    confusion_matrix: MatrixOut | None
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, IntervalOut | None]
    averaged_over: Mapping[str, int]
    by_label: tuple[LabelOut, ...]
    partitions: tuple[PartitionOut, ...]
    curves: tuple[ScoreFigures, ...]
    calibration: CalibrationFigures | None
    slices: tuple[SliceOut, ...]
    slice_metric: str
    least_rows: int | None
    digests: DigestsOut
    error_counts: Mapping[str, int]
    failed_rows: Mapping[str, tuple[int, ...]] | None
    compared_with: str | None
    comparison: ComparisonOut | None


@dataclass(frozen=True)
class RankOut:
    """How a version stands for a task and a metric; nulls where it was not measured on an approved dataset.

    Attributes:
        percentile: the average over datasets of place / versions there; lower is better.
    """

    task: str
    metric: MetricName
    percentile: float | None
    place: int | None
    versions: int | None
    datasets: int | None


@dataclass(frozen=True)
class RankPage:
    """The rank percentiles of a version; with a `label` its own metrics count instead of averages."""

    model: str
    version: str
    average: AverageName
    label: str
    items: tuple[RankOut, ...]


@dataclass(frozen=True)
class LeaderboardEntry:
    """One version; `values` are by dataset, null where there is none."""

    place: int
    model: str
    version: str
    average: float | None
    interval: IntervalOut | None
    values: Mapping[str, float | None]
    datasets: int
    percentile: float | None


@dataclass(frozen=True)
class LeaderboardOut:
    """Public usable versions of a task, best first; with a `label` by its own metric instead of an average."""

    task: str
    average: AverageName
    label: str
    metric: MetricName
    datasets: tuple[str, ...]
    items: tuple[LeaderboardEntry, ...]
