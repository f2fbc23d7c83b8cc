"""Numbers of evaluations as files: one line a number, the same in CSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from mop.errors import NotFoundError
from mop.evaluation.models import Evaluation
from mop.evaluation.reading import report_for
from mop.evaluation.reports.document import IntervalOut, ReportOut


@dataclass(frozen=True)
class Line:
    """One number.

    Attributes:
        scope: `whole`, `label`, `partition` or `slice`.
        name: of the label, the partition, or `column=value` of the slice; empty for the whole.
        value: None is undefined, or withheld where `withheld` says why.
    """

    model: str
    version: str
    task: str
    dataset: str
    scope: str
    name: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    rows: int | None
    withheld: str


COLUMNS = tuple(field.name for field in fields(Line))


def lines_of(evaluations: Iterable[Evaluation]) -> Iterator[Line]:
    """Every number that may be told of measured evaluations; they were read with `result`."""
    for evaluation in evaluations:
        yield from _lines(evaluation, report_for(evaluation))


def _lines(evaluation: Evaluation, report: ReportOut) -> Iterator[Line]:
    revision = evaluation.revision
    names = (revision.model.name, revision.version, evaluation.task.name, evaluation.dataset.name)

    def numbers(
        scope: str,
        name: str,
        metrics: Mapping[str, float | None],
        intervals: Mapping[str, IntervalOut | None],
        rows: int | None,
    ) -> Iterator[Line]:
        for metric, value in metrics.items():
            interval = intervals.get(metric)
            low, high = (interval.low, interval.high) if interval else (None, None)
            yield Line(*names, scope, name, metric, value, low, high, rows, "")

    yield from numbers("whole", "", report.metrics, report.intervals, report.rows)
    for line in report.by_label:
        metrics = {"precision": line.precision, "recall": line.recall, "f1": line.f1}
        yield from numbers("label", line.label, metrics, line.intervals, line.support)
    for one in report.partitions:
        yield from numbers("partition", one.name, one.metrics, one.intervals, report.rows)
    for part in report.slices:
        name = f"{part.column}={part.value}"
        if part.metrics is None:
            yield Line(*names, "slice", name, report.slice_metric, None, None, None, None, part.withheld)
        else:
            yield from numbers("slice", name, part.metrics, part.intervals or {}, part.rows)


def as_csv(lines: Iterable[Line]) -> bytes:
    """With a header; an empty value is undefined."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in asdict(line).values()] for line in lines)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Names are people's own: what a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def as_json(lines: Iterable[Line]) -> bytes:
    """A list of objects."""
    return json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1).encode()


def as_parquet(lines: Iterable[Line]) -> bytes:
    """One row group; undefined is null."""
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s, for this file alone
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    kinds = {"value": pa.float64(), "low": pa.float64(), "high": pa.float64(), "rows": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([asdict(line) for line in lines], schema=schema), out, compression="zstd")
    return out.getvalue()


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    media_type: str
    write: Callable[[Iterable[Line]], bytes]


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", as_csv),
    "json": Format("application/json", as_json),
    "parquet": Format("application/vnd.apache.parquet", as_parquet),
}


def format_of(kind: str) -> Format:
    """A format by its name.

    Raises:
        NotFoundError: there is none.
    """
    if kind not in FORMATS:
        raise NotFoundError(f"Metrics are written as {', '.join(FORMATS)}, not as {kind!r}.")
    return FORMATS[kind]
