"""`mop dataset check`: verifies the file of a dataset on this machine, without a server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop_client.cli.exit_codes import of_result
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import console, print_columns, print_json, printable, wants_colour
from mop_client.words import DATASET_TYPES, MODALITIES

if TYPE_CHECKING:
    from mop.datasets.reading import DatasetSpec, Fault, Report

app = typer.Typer()


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="The file dataset.csv.", exists=True, dir_okay=False, show_default=False)
    ],
    *,
    modality: Annotated[
        str,
        typer.Option(
            parser=one_of(MODALITIES),
            metavar="|".join(MODALITIES),
            help="What a sample is: Text, Image or ImageAndText.",
            show_default=False,
        ),
    ],
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="HEADER", help="A label column. Repeatable; none: only the input columns are checked."),
    ] = None,
    label_type: Annotated[
        str,
        typer.Option(
            parser=one_of(DATASET_TYPES),
            metavar="|".join(DATASET_TYPES),
            help="What the label columns hold: binary (0 and 1), multi-label or ordinal.",
        ),
    ] = "Binary",
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL,LABEL",
            help="The labels of the task, for multi-label and ordinal. Without them any labels are taken.",
            show_default=False,
        ),
    ] = None,
    label_size: Annotated[
        int | None,
        typer.Option(help="How many different labels a multi-label column holds.", show_default=False),
    ] = None,
    group_column: Annotated[
        list[str] | None, typer.Option(metavar="HEADER", help="A column whose values name slices. Repeatable.")
    ] = None,
    language_column: Annotated[
        str | None, typer.Option(metavar="HEADER", help="The column that names the language.", show_default=False)
    ] = None,
    max_pixels: Annotated[int, typer.Option(min=1, help="Most pixels of an image.")] = 50_000_000,
    as_json: JsonFlag = False,
) -> None:
    """Verify the file of a dataset on this machine exactly as the pipeline does; no server is needed."""
    from mop.datasets.reading import DatasetSpec, LabelColumn, LabelType, Limits, Modality, verify

    allowed = None if labels is None else tuple(one.strip() for one in labels.split(","))
    try:
        spec = DatasetSpec(
            modality=Modality(modality),
            labels=tuple(
                LabelColumn(header=header, label_type=LabelType(label_type), labels=allowed, size=label_size)
                for header in label or ()
            ),
            group_columns=tuple(group_column or ()),
            language_column=language_column,
            limits=Limits(pixels=max_pixels),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with _progress(file) as progress:
        report = verify(lambda: file.open("rb", buffering=0), spec, progress=progress, quotes_cells=True)
    if as_json:
        print_json(report_json(report))
    else:
        _print_report(report, spec)
    raise typer.Exit(of_result(_status(report), report.warnings))


def report_json(report: Report) -> dict[str, Any]:
    """The object that `--json` prints; docs/cli.md describes it."""
    return {
        "status": _status(report),
        "rows": report.rows,
        "size": report.size,
        "faults": [place for fault in report.faults for place in _places(fault)],
        "warnings": [place for fault in report.warnings for place in _places(fault)],
        "counts": [
            {"kind": fault.kind.name_in_report, "column": fault.column, "count": fault.count}
            for fault in (*report.faults, *report.warnings)
        ],
        "labels": report.label_counts,
        "groups": report.slice_counts,
    }


def _status(report: Report) -> str:
    return "verified" if report.is_clean else "verifyFailed"


def _places(fault: Fault) -> Iterator[dict[str, Any]]:
    quotes = fault.quotes or (None,) * len(fault.rows)
    places: list[tuple[int | None, str | None]] = list(zip(fault.rows, quotes, strict=True))
    for row, quote in places or [(None, None)]:
        yield {
            "kind": fault.kind.name_in_report,
            "row": row,
            "column": fault.column,
            "message": fault.kind.title if quote is None else f"{fault.kind.title}: {quote!r}",
            "hint": fault.kind.hint,
        }


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr while a person waits."""
    if not wants_colour(sys.stderr):
        yield None
        return
    from rich.progress import Progress

    with Progress(console=console(), transient=True) as bar:
        task = bar.add_task("reading", total=file.stat().st_size)
        yield lambda _rows, size: bar.update(task, completed=size)


def _print_report(report: Report, spec: DatasetSpec) -> None:
    print(f"{_status(report)}: {report.rows:,} rows, {report.size:,} bytes")
    if not spec.labels:
        print("The labels were not checked: name their columns with --label HEADER.")
    for column, counts in (*report.label_counts.items(), *report.slice_counts.items()):
        shares = ", ".join(f"{value} {count / report.rows:.1%}" for value, count in counts.items())
        print(printable(f"  {column}: {shares}"))
    found = (*report.faults, *report.warnings)
    if not found:
        return
    print()
    rows = []
    for fault in found:
        listed = ", ".join(map(str, fault.rows))
        if fault.rows and fault.count > len(fault.rows):
            listed += f" and {fault.count - len(fault.rows)} more"
        seen = ", ".join(dict.fromkeys(repr(quote) for quote in fault.quotes[:3] if quote is not None))
        title = fault.kind.title if fault in report.faults else f"warning: {fault.kind.title}"
        rows.append((fault.column or "", title, str(fault.count), listed, seen))
    print_columns(("column", "fault", "count", "rows (the header is row 1)", "seen"), rows)
    print()
    for hint in dict.fromkeys(fault.kind.hint for fault in found):
        print(printable(f"hint: {hint}"))
