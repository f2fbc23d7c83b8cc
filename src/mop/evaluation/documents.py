"""Evaluations as the API answers them."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, cast

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.engine.models import DurableWork
from mop.errors import ErrorDocument
from mop.evaluation.headline import chosen_headline
from mop.evaluation.models import Evaluation
from mop.evaluation.ranking import Leaderboard, RankRow
from mop.evaluation.reports.comparison import ComparisonOut
from mop.evaluation.reports.document import IntervalOut, ReportOut
from mop.evaluation.reports.names import AVERAGES, METRICS, field_of
from mop.evaluation.schemas import (
    AverageName,
    DigestsOut,
    EvaluationDetailOut,
    EvaluationOut,
    HeadlineOut,
    LeaderboardEntry,
    LeaderboardOut,
    MetricName,
    RankOut,
    RankPage,
    StateName,
    VerificationOut,
)
from mop.evaluation.verification_models import EvaluationVerification
from mop.evaluation.verifications import report_of_checks
from mop.registry.models import Revision
from mop.registry.statuses import PublishStatus

LISTED = tuple(dict.fromkeys(field_of(average, metric) for average in AVERAGES for metric in METRICS))


def evaluation_out(row: Evaluation) -> EvaluationOut:
    """One evaluation of a list."""
    state = row.get_state()
    ends = (row.headline_low, row.headline_high)
    return EvaluationOut(
        id=row.pk,
        model=row.revision.model.name,
        version=row.revision.version,
        task=row.task.name,
        dataset=row.dataset.name,
        status=cast("StateName", state.value),
        is_final=state.is_final,
        is_measured=row.is_measured,
        is_stale=row.is_stale,
        progress=row.progress,
        ends_about=row.ends_about,
        tries=row.tries,
        retry_at=row.retry_at,
        error=error_of(row),
        rows=row.rows,
        no_answer=row.no_answer,
        headline=row.headline,
        headline_interval=IntervalOut(*ends) if None not in ends else None,  # type: ignore[arg-type]
        metrics={name: getattr(row, name) for name in LISTED} if row.is_measured else {},
        measured_at=row.measured_at,
        visibility=_visibility(row),
    )


def result_out(row: Evaluation) -> EvaluationOut:
    """One result for everybody: of a private version what its owner published, and nothing of its runs."""
    found = evaluation_out(row)
    if found.visibility == "public":
        return found
    return dataclasses.replace(
        found,
        status="finished",
        is_final=True,
        progress=100,
        ends_about=None,
        tries=1,
        retry_at=None,
        error=None,
    )


def error_of(row: DurableWork) -> ErrorDocument | None:
    """The error of durable work as the API answers it."""
    if not row.error:
        return None
    given = row.error
    return ErrorDocument(
        name=given["name"],
        message=given["message"],
        hint=given.get("hint", ""),
        place=given.get("place"),
        also=tuple(given.get("also") or ()),
    )


def _visibility(row: Evaluation) -> Literal["public", "published", "private"]:
    if row.revision.publish_status == PublishStatus.PUBLIC:
        return "public"
    return "published" if row.is_published else "private"


def detail_out(
    user: User,
    row: Evaluation,
    report: ReportOut | None,
    *,
    compared_with: str | None = None,
    comparison: ComparisonOut | None = None,
) -> EvaluationDetailOut:
    """One evaluation with its result.

    Args:
        user: who asks.
        row: the evaluation.
        report: of its result; None while there is none.
        compared_with: the version of the comparison.
        comparison: of this version with that.
    """
    sees_rows = may(user, "evaluation.view_places", row.dataset)
    return EvaluationDetailOut(
        evaluation=evaluation_out(row),
        status=cast("StateName", row.state),
        labels=report.labels if report else (),
        levels=report.levels if report else (),
        merges=report.merges if report else {},
        confusion_matrix=report.confusion_matrix if report else None,
        metrics=report.metrics if report else {},
        intervals=report.intervals if report else {},
        averaged_over=report.averaged_over if report else {},
        by_label=report.by_label if report else (),
        partitions=report.partitions if report else (),
        curves=report.curves if report else (),
        calibration=report.calibration if report else None,
        slices=report.slices if report else (),
        slice_metric=report.slice_metric if report else "",
        least_rows=report.least_rows if report else None,
        digests=DigestsOut(
            artifact=row.artifact_digest,
            environment=row.environment_digest,
            dataset=row.dataset_digest,
            mapping=row.mapping_digest,
            metric_code=row.metric_version,
        ),
        error_counts=row.error_counts,
        failed_rows={name: tuple(places) for name, places in row.failed_rows.items()} if sees_rows else None,
        compared_with=compared_with,
        comparison=comparison,
    )


def verification_out(row: EvaluationVerification) -> VerificationOut:
    """One verification with its report."""
    evaluation, state = row.evaluation, row.get_state()
    return VerificationOut(
        id=row.pk,
        model=evaluation.revision.model.name,
        version=evaluation.revision.version,
        task=evaluation.task.name,
        dataset=evaluation.dataset.name,
        status=cast("Any", state.value),
        is_final=state.is_final,
        holds=row.holds,
        is_current=row.predictions_digest == evaluation.predictions_digest,
        rows_again=row.again,
        error=error_of(row),
        created_by=row.created_by_label,
        created_at=row.created_at,
        ended_at=row.ended_at,
        checks=report_of_checks(row),
    )


def headline_out(task: Task) -> HeadlineOut:
    """The headline dataset of a task."""
    dataset, is_chosen = chosen_headline(task)
    return HeadlineOut(task.name, dataset.name if dataset else None, is_chosen)


def rank_page(revision: Revision, average: AverageName, label: str, rows: list[RankRow]) -> RankPage:
    """The rank percentiles of a version."""
    items = tuple(
        RankOut(
            task=row.task.name,
            metric=cast("MetricName", row.metric),
            percentile=row.standing.percentile if row.standing else None,
            place=row.standing.place if row.standing else None,
            versions=row.standing.of if row.standing else None,
            datasets=row.standing.datasets if row.standing else None,
        )
        for row in rows
    )
    return RankPage(revision.model.name, revision.version, average, label, items)


def leaderboard_out(board: Leaderboard, label: str) -> LeaderboardOut:
    """A leaderboard."""
    names = tuple(dataset.name for dataset in board.datasets)
    return LeaderboardOut(
        task=board.task.name,
        average=cast("AverageName", board.average),
        label=label,
        metric=cast("MetricName", board.metric),
        datasets=names,
        items=tuple(
            LeaderboardEntry(
                place=row.place,
                model=row.revision.model.name,
                version=row.revision.version,
                average=row.average,
                interval=IntervalOut(*row.ends) if row.ends else None,
                values=dict(zip(names, row.values, strict=True)),
                datasets=row.datasets,
                percentile=row.percentile,
            )
            for row in board.rows
        ),
    )
