"""Figures and lines of the page of an evaluation, from its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import QueryDict
from django.utils.safestring import SafeString

from mop.evaluation.reports.document import IntervalOut, LabelOut, ReportOut, SliceOut
from mop.evaluation.reports.names import WORDS
from mop.evaluation.reports.scores import CalibrationFigures, ScoreFigures, Threshold
from mop.ui.figures import Bar, Curve, HeatMap, Plot, Span, heat_maps, interval_figure, plot, span_of


def span_of_report(report: ReportOut) -> Span:
    values: list[float | None] = []
    for line in report.by_label:
        values += [line.f1, *_ends(line.intervals["f1"])]
    for name in ("macro_f1", "weighted_f1", "accuracy"):
        values += [report.metrics[name], *_ends(report.intervals[name])]
    return span_of(values)


def _ends(interval: IntervalOut | None) -> tuple[float, ...]:
    return () if interval is None else (interval.low, interval.high)


def _pair(interval: IntervalOut | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)


@dataclass(frozen=True)
class ReportLine:
    """A line of the classification report; `note` stands behind its name."""

    name: str
    note: str
    precision: float | None
    recall: float | None
    f1: float | None
    interval: IntervalOut | None
    figure: SafeString
    support: int
    is_average: bool = False
    is_single: bool = False


def lines_of(report: ReportOut, span: Span) -> list[ReportLine]:
    found = [
        ReportLine(
            _label_word(line, report),
            "",
            line.precision,
            line.recall,
            line.f1,
            line.intervals["f1"],
            interval_figure(span, line.f1, _pair(line.intervals["f1"])),
            line.support,
        )
        for line in report.by_label
    ]
    for average in ("macro", "weighted", "micro"):
        over = report.averaged_over.get(f"{average}_f1", len(report.by_label))
        note = "" if over == len(report.by_label) else f"over {over} of {len(report.by_label)} labels"
        interval = report.intervals[f"{average}_f1"]
        value = report.metrics[f"{average}_f1"]
        found.append(
            ReportLine(
                f"{average.capitalize()} average",
                note,
                report.metrics[f"{average}_precision"],
                report.metrics[f"{average}_recall"],
                value,
                interval,
                interval_figure(span, value, _pair(interval), look="c1"),
                report.rows,
                is_average=True,
            )
        )
    interval, value = report.intervals["accuracy"], report.metrics["accuracy"]
    figure = interval_figure(span, value, _pair(interval), look="c1")
    found.append(
        ReportLine("Accuracy", "", None, None, value, interval, figure, report.rows, is_average=True, is_single=True)
    )
    return found


def _label_word(line: LabelOut, report: ReportOut) -> str:
    """Of a partition the levels of that side."""
    best = report.representing
    if best is None:
        return line.label
    side = best.lower if line.label == best.labels[0].label else best.upper
    return f"{line.label}: {', '.join(level.removeprefix('level ') for level in side)}"


def facts_of(report: ReportOut) -> list[tuple[str, float | None, IntervalOut | None]]:
    names = [report.headline, "macro_precision", "macro_recall", "accuracy"]
    if report.levels:
        names = [report.headline, "macro_f1", "accuracy"]
    return [(WORDS[name], report.metrics[name], report.intervals.get(name)) for name in names]


def further_of(report: ReportOut) -> list[tuple[str, float | None, IntervalOut | None]]:
    names = ("cohen_kappa", "matthews_correlation", "quadratic_weighted_kappa", "mean_absolute_error")
    return [(WORDS[name], report.metrics[name], report.intervals.get(name)) for name in names if name in report.metrics]


def maps_of(report: ReportOut) -> Sequence[HeatMap]:
    matrix = report.confusion_matrix
    columns, counts = matrix.columns, matrix.counts
    if report.levels and report.levels != report.labels:  # a Binary dataset: its own labels are never predicted
        skipped = len(report.labels)
        columns, counts = columns[skipped:], tuple(row[skipped:] for row in counts)
    of = "label of the dataset" if report.levels else "true label"
    return heat_maps(
        matrix.rows,
        columns,
        counts,
        corner="Dataset" if report.levels else "True label",
        head="Predicted level" if report.levels else "Predicted label",
        of=f"the {of}",
    )


def partitions_of(report: ReportOut) -> dict[str, Any] | None:
    if not report.partitions:
        return None
    values = [
        value
        for one in report.partitions
        for value in (one.metrics["positive_f1"], *_ends(one.intervals["positive_f1"]))
    ]
    span = span_of(values)
    rows = []
    for one in report.partitions:
        positive = one.labels[1]
        interval = one.intervals["positive_f1"]
        look = "c1" if one.is_representing else ""
        rows.append((one, positive, interval, interval_figure(span, positive.f1, _pair(interval), look=look)))
    return {"span": span, "rows": rows}


def plots_of(report: ReportOut) -> list[Plot]:
    if not report.curves:
        return []
    label = "level" if report.levels else "label"
    roc, recall = [], []
    for figures in report.curves:
        name = figures.label.removeprefix("level ") if report.levels else figures.label
        name = f"{name} and above" if report.levels else name
        roc.append((Curve(f"{name}, {_area(figures.roc_auc)}", _roc(figures)), f"{name}: AUC {_area(figures.roc_auc)}"))
        area = _area(figures.average_precision)
        recall.append((Curve(f"{name}, {area}", _precision_recall(figures)), f"{name}: average precision {area}"))
    found = [
        plot(
            "roc",
            [curve for curve, _ in roc],
            title="ROC, AUC" if len(roc) > 1 else f"ROC, AUC {_area(report.curves[0].roc_auc)}",
            summary="; ".join(text for _, text in roc),
            x_label="False positive rate",
            y_label="True positive rate",
            has_diagonal=True,
        ),
        plot(
            "precision-recall",
            [curve for curve, _ in recall],
            title="Precision and recall, average precision",
            summary="; ".join(text for _, text in recall),
            x_label="Recall",
            y_label="Precision",
        ),
    ]
    if report.calibration is not None:
        found.append(_calibration("Calibration of the predicted label", report.calibration))
    else:
        found += [
            _calibration(f"Calibration, {label} {name.removeprefix('level ')}", one)
            for name, one in list(report.calibration_by_label.items())[:3]
        ]
    return found


def _calibration(title: str, figures: CalibrationFigures) -> Plot:
    error = "undefined" if figures.expected_error is None else f"{figures.expected_error:.4f}"
    points = [(one.mean_score, one.share_right) for one in figures.bins]
    return plot(
        title.lower().replace(" ", "-").replace(",", ""),
        [Curve("", points, points)],
        title=f"{title}, ECE {error}",
        summary=f"Expected calibration error {error}; grey: share of samples in each tenth",
        x_label="Mean confidence score",
        y_label="Share that is true",
        has_diagonal=True,
        bars=[Bar(one.low, one.low + 0.1, one.share_of_rows) for one in figures.bins],
    )


def _area(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _roc(figures: ScoreFigures) -> list[tuple[float, float]]:
    points = [
        (one.false_positive_rate, one.recall)
        for one in figures.thresholds
        if one.false_positive_rate is not None and one.recall is not None
    ]
    return [*points, (0.0, 0.0)] if points else []


def _precision_recall(figures: ScoreFigures) -> list[tuple[float, float]]:
    return [(one.recall, one.precision) for one in figures.thresholds if None not in (one.recall, one.precision)]  # type: ignore[misc]


@dataclass(frozen=True)
class Explorer:
    """What a threshold does for one label."""

    label: str
    labels: Sequence[str]
    chosen: Threshold
    best: Threshold | None


def explorer_of(given: QueryDict, report: ReportOut) -> Explorer | None:
    if not report.curves:
        return None
    labels = [figures.label for figures in report.curves]
    label = given.get("label", "")
    figures = report.curves[labels.index(label) if label in labels else len(labels) - 1]
    try:
        place = round(float(given.get("threshold", "")) * 100)
    except (ValueError, OverflowError):
        place = round((figures.best.threshold if figures.best else 0.5) * 100)
    return Explorer(figures.label, labels, figures.thresholds[min(max(place, 0), 100)], figures.best)


def slices_of(report: ReportOut) -> dict[str, Any]:
    metric = report.slice_metric
    whole = report.metrics.get(metric)
    known = [one for one in report.slices if one.metrics is not None]
    values = [value for one in known for value in (one.metrics[metric], *_ends((one.intervals or {}).get(metric)))]  # type: ignore[index]
    span = span_of([*values, whole])

    def drawn(one: SliceOut) -> tuple[SliceOut, float | None, IntervalOut | None, SafeString]:
        if one.metrics is None:
            return one, None, None, SafeString("")
        interval = (one.intervals or {}).get(metric)
        look = "c-warn" if one.is_low else ""
        figure = interval_figure(span, one.metrics[metric], _pair(interval), baseline=whole, look=look)
        return one, one.metrics[metric], interval, figure

    return {
        "span": span,
        "metric": "F1" if report.levels else WORDS[metric],
        "worst": report.worst_slice,
        "worst_value": report.worst_slice.metrics[metric] if report.worst_slice else None,  # type: ignore[index]
        "groups": [
            (column, [drawn(one) for one in ones])
            for column, ones in groupby(report.slices, key=lambda one: one.column)
        ],
        "has_subgroups": any(one.subgroups for one in report.slices),
        "subgroups": [(one, area) for one in known for area in one.subgroups],
    }
