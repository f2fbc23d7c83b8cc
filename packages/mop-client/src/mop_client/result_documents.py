"""What the server answers about evaluations, as types. Fields may be added by later servers."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from mop_client.documents import ErrorDocument

Average = Literal["macro", "micro", "weighted"]
Metric = Literal["f1", "precision", "recall", "accuracy"]
LoadTestState = Literal["notAvailable", "notStarted", "queued", "running", "finished", "failed", "cancelled"]


class Interval(TypedDict):
    """A 95 % interval."""

    low: float
    high: float


class Evaluation(TypedDict):
    """One evaluation of a version; `headline` is macro F1, of an ordinal task F1 of the representing partition."""

    id: str
    model: str
    version: str
    task: str
    dataset: str
    status: Literal["queued", "running", "finished", "failed", "mappingError", "cancelled"]
    is_final: bool
    is_measured: bool
    is_stale: bool
    progress: int
    ends_about: str | None
    error: ErrorDocument | None
    rows: int | None
    no_answer: int | None
    headline: float | None
    headline_interval: Interval | None
    metrics: dict[str, float | None]
    measured_at: str | None
    tries: int
    retry_at: str | None
    visibility: Literal["public", "published", "private"]


class EvaluationDetail(TypedDict):
    """One evaluation with everything that its result tells; without a result the parts of it are null or empty."""

    evaluation: Evaluation
    status: str
    labels: list[str]
    levels: list[str]
    merges: dict[str, str]
    confusion_matrix: dict[str, Any] | None
    metrics: dict[str, float | None]
    intervals: dict[str, Interval | None]
    averaged_over: dict[str, int]
    by_label: list[dict[str, Any]]
    partitions: list[dict[str, Any]]
    curves: list[dict[str, Any]]
    calibration: dict[str, Any] | None
    slices: list[dict[str, Any]]
    slice_metric: str
    least_rows: int | None
    digests: dict[str, str]
    error_counts: dict[str, int]
    failed_rows: dict[str, list[int]] | None
    compared_with: str | None
    comparison: dict[str, Any] | None


class Verification(TypedDict):
    """A result computed again by other code; `holds` is None until it finished."""

    id: str
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
    created_at: str
    ended_at: str | None
    checks: list[dict[str, Any]]


class Headline(TypedDict):
    """The headline dataset of a task; `is_chosen` tells whether an owner of the task chose it."""

    task: str
    dataset: str | None
    is_chosen: bool


class Rank(TypedDict):
    """How a version stands for a task and a metric; `percentile` is lower where it is better."""

    task: str
    metric: Metric
    percentile: float | None
    place: int | None
    versions: int | None
    datasets: int | None


class LeaderboardEntry(TypedDict):
    """One version; `values` are by dataset, None where there is none."""

    place: int
    model: str
    version: str
    average: float | None
    interval: Interval | None
    values: dict[str, float | None]
    datasets: int
    percentile: float | None


class Leaderboard(TypedDict):
    """Public usable versions of a task, best first."""

    task: str
    average: Average
    label: str
    metric: Metric
    datasets: list[str]
    items: list[LeaderboardEntry]


class LoadTest(TypedDict):
    """One load test, of one modality; `steps` are those of `mop load-test --json`."""

    id: str
    modality: str
    state: LoadTestState
    strategy: Literal["PerRPS", "PerConcurrency"]
    targets: list[int]
    duration_s: float
    warm_up_s: float
    timeout_s: float
    budget_s: float
    seed: int
    arrivals: Literal["uniform", "poisson"]
    ended: Literal["finished", "failing", "plateau", "budget", "cancelled", ""]
    error: ErrorDocument | None
    note: str
    progress: dict[str, Any] | None
    conditions: dict[str, Any] | None
    steps: list[dict[str, Any]]
    trusted: bool
    created_at: str
    created_by: str
    started_at: str | None
    ended_at: str | None


class LoadTestRun(TypedDict):
    """A run of a version: a load test for each modality; none where the state is notAvailable or notStarted."""

    model: str
    version: str
    state: LoadTestState
    is_final: bool
    load_test_option: Literal["off", "PerRPS", "PerConcurrency"]
    run: int | None
    runs: list[int]
    tests: list[LoadTest]
