"""`mop evaluation`: results of versions on hidden datasets, over the REST API."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop.errors import NotFoundError
from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelName, ModelVersion, one_of
from mop_client.cli.output import metric_text, print_columns, print_json, print_list, printable, say
from mop_client.words import AVERAGES, METRICS

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

evaluations = typer.Typer(help="Results of your versions on hidden datasets (see `mop login`).")
app.add_typer(evaluations, name="evaluation", invoke_without_command=True, callback=show_help)

Dataset = Annotated[
    str, typer.Argument(help="The dataset's name.", show_default=False, autocompletion=completion.datasets)
]
TaskOption = Annotated[
    str, typer.Option(help="The task, where the dataset is used for several of the model's.", show_default=False)
]
POLL_SECONDS = 2.0
SLICE_HEAD = ("SLICE", "ROWS", "DIFFERENCE", "95 % INTERVAL", "")
HEAD = ("DATASET", "TASK", "STATUS", "HEADLINE", "95 % INTERVAL", "ACCURACY", "ROWS", "NO ANSWER")
METRIC_COLUMN = HEAD.index("ACCURACY")
NO_EVALUATIONS = (
    "No evaluations. They begin when the version is verified and owners of one of its tasks approved a dataset: "
    "`mop task requests TASK`."
)


@evaluations.command(name="list")
def list_evaluations(
    name: ModelName,
    version: ModelVersion,
    *,
    sort: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(METRICS),
            metavar="|".join(METRICS),
            help="By this metric, the highest first; by dataset if left out.",
            show_default=False,
        ),
    ] = None,
    average: Annotated[
        str, typer.Option(parser=one_of(AVERAGES), metavar="|".join(AVERAGES), help="The average that --sort means.")
    ] = "macro",
    as_json: JsonFlag = False,
) -> None:
    """List the evaluations of a version."""
    metric = "accuracy" if sort in {None, "accuracy"} else f"{average}_{sort}"
    with open_server() as server:
        items = server.pages("models", name, "revisions", version, "evaluations")
    if sort is not None:
        items.sort(key=lambda one: _sortable(one["metrics"].get(metric)), reverse=True)
    if as_json:
        print_json({"items": items})
    else:
        head = (*HEAD[:METRIC_COLUMN], metric.upper().replace("_", " "), *HEAD[METRIC_COLUMN + 1 :])
        print_list(head, [_row(one, metric) for one in items], empty=NO_EVALUATIONS)


def _sortable(value: Optional[float]) -> float:
    """What was not measured, or is undefined, stands last."""
    return -1.0 if value is None else value


@evaluations.command()
def show(
    name: ModelName,
    version: ModelVersion,
    dataset: Dataset,
    *,
    task: TaskOption = "",
    merge: Annotated[
        Optional[list[str]], typer.Option(help="Merge labels into one. Repeatable.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the metrics of a version on a dataset."""
    with open_server() as server:
        path = path_of(server, name, version, dataset, task)
        found = server.get(*path, **({"merge": merge} if merge else {}))
    if as_json:
        print_json(found)
    else:
        _print(found)


@evaluations.command()
def compare(
    name: ModelName,
    version: ModelVersion,
    other: Annotated[
        str,
        typer.Argument(help="The version it is compared with.", show_default=False, autocompletion=completion.versions),
    ],
    dataset: Dataset,
    *,
    task: TaskOption = "",
    as_json: JsonFlag = False,
) -> None:
    """Compare two versions on the same rows of a dataset."""
    with open_server() as server:
        path = path_of(server, name, version, dataset, task)
        found = server.get(*path, **{"with": other})
    if as_json:
        print_json(found["comparison"])
    else:
        _print_comparison(found["comparison"], version, other)


@evaluations.command()
def watch(name: ModelName, version: ModelVersion, *, as_json: JsonFlag = False) -> None:
    """Wait until the evaluations of a version have ended.

    Exit code: 0 when all of them finished, 1 when one failed, 3 when there is none or one was
    cancelled.
    """
    with open_server() as server:
        try:
            items = _followed(server, name, version)
        except KeyboardInterrupt:
            say("the evaluations go on")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        print_json({"items": items})
    else:
        print_list(HEAD, [_row(one) for one in items], empty=NO_EVALUATIONS)
    raise typer.Exit(exit_code_of(items))


def exit_code_of(items: list[dict[str, Any]]) -> ExitCode:
    """0 when all finished, 1 when one failed, 3 when there is none or one was cancelled."""
    statuses = {one["status"] for one in items}
    if statuses & {"failed", "mappingError"}:
        return ExitCode.FAILED
    return ExitCode.DONE if statuses == {"finished"} else ExitCode.UNDECIDED


def _followed(server: "Server", name: str, version: str) -> list[dict[str, Any]]:
    said: dict[str, str] = {}
    while True:
        items = server.pages("models", name, "revisions", version, "evaluations")
        for one in items:
            progress = f" {one['progress']} %" if one["status"] == "running" else ""
            line = f"{one['dataset']}: {one['status']}{progress}"
            if said.get(one["id"]) != line:
                said[one["id"]] = line
                say(printable(line))
        if all(one["is_final"] for one in items):
            return items
        time.sleep(POLL_SECONDS)


def path_of(server: "Server", name: str, version: str, dataset: str, task: str) -> tuple[str, ...]:
    """The address of the one evaluation that is meant.

    Raises:
        NotFoundError: there is none.
        BadParameter: there are several.
    """
    items = server.pages("models", name, "revisions", version, "evaluations")
    found = [one["task"] for one in items if one["dataset"] == dataset and task in {"", one["task"]}]
    if not found:
        raise NotFoundError(
            f"There is no evaluation of {name} {version} on {dataset}.",
            hint=f"See `mop evaluation list {name} {version}`.",
        )
    if len(found) > 1:
        raise typer.BadParameter(
            f"{dataset} is used for several tasks: {', '.join(found)}. Add --task.", param_hint="--task"
        )
    return "models", name, "revisions", version, "evaluations", found[0], dataset


def _row(one: dict[str, Any], metric: str = "accuracy") -> tuple[str, ...]:
    interval = one["headline_interval"]
    status = one["status"]
    if status == "running":
        status += f" {one['progress']} %"
    if one["is_stale"]:
        status += ", stale"
    return (
        one["dataset"],
        one["task"],
        status,
        metric_text(one["headline"]) if one["is_measured"] else "",
        f"{interval['low']:.3f} to {interval['high']:.3f}" if interval else "",
        metric_text(one["metrics"][metric]) if one["is_measured"] else "",
        "" if one["rows"] is None else f"{one['rows']:,}",
        "" if one["no_answer"] is None else f"{one['no_answer']:,}",
    )


def _print(found: dict[str, Any]) -> None:
    one = found["evaluation"]
    say(printable(f"{one['model']} {one['version']} on {one['dataset']}, task {one['task']}: {one['status']}"))
    if one["error"]:
        say(printable(f"{one['error']['name']}: {one['error']['message']}"))
    if not one["is_measured"]:
        return
    labels = [
        (line["label"], *(metric_text(line[name]) for name in ("precision", "recall", "f1")), f"{line['support']:,}")
        for line in found["by_label"]
    ]
    print_columns(("LABEL", "PRECISION", "RECALL", "F1", "SUPPORT"), labels)
    print()
    print_columns(("METRIC", "VALUE", "95 % INTERVAL"), [_metric(found, name) for name in found["metrics"]])
    slices = [
        (
            f"{one['column']}={one['value']}",
            one["withheld"] and f"withheld: {one['withheld']}",
            "" if one["metrics"] is None else metric_text(one["metrics"][found["slice_metric"]]),
            "" if one["rows"] is None else f"{one['rows']:,}",
            "lowest" if one["is_worst"] else "low" if one["is_low"] else "",
        )
        for one in found["slices"]
    ]
    if slices:
        print()
        print_columns(("SLICE", "NOTE", found["slice_metric"].upper(), "ROWS", ""), slices)


def _metric(found: dict[str, Any], name: str) -> tuple[str, str, str]:
    interval = found["intervals"].get(name)
    ends = f"{interval['low']:.4f} to {interval['high']:.4f}" if interval else ""
    return name, metric_text(found["metrics"][name]), ends


def _print_comparison(found: dict[str, Any], version: str, other: str) -> None:
    rows = []
    for name, one in found["metrics"].items():
        ends = one["interval"]
        mark = "" if one["difference"] is None else "significant" if one["is_significant"] else "not significant"
        rows.append(
            (
                name,
                metric_text(one["first"]),
                metric_text(one["second"]),
                "undefined" if one["difference"] is None else f"{one['difference']:+.4f}",
                f"{ends['low']:+.4f} to {ends['high']:+.4f}" if ends else "",
                mark,
            )
        )
    print_columns(("METRIC", other.upper(), version.upper(), "DIFFERENCE", "95 % INTERVAL", ""), rows)
    if found["slices"]:
        print()
        print_columns(
            (*SLICE_HEAD[:2], other.upper(), version.upper(), *SLICE_HEAD[2:]),
            [_compared_slice(one) for one in found["slices"]],
        )
    if found["different"] is None:
        say(f"the two differ on fewer than {found['least_different']} of {found['rows']:,} rows: no counts")
    else:
        say(
            f"they differ on {found['different']:,} of {found['rows']:,} rows; only {other} is right on "
            f"{found['only_first_right']:,}, only {version} on {found['only_second_right']:,}; "
            f"McNemar's test: p = {found['mcnemar']:.4f}"
        )
        if found["right_by"] == "partition":
            say("right is a prediction on the row's side of its version's representing partition")


def _compared_slice(one: dict[str, Any]) -> tuple[str, ...]:
    ends = one["interval"]
    marks = {True: "significant", False: "not significant", None: ""}
    return (
        f"{one['column']}={one['value']}",
        f"{one['rows']:,}",
        metric_text(one["first"]),
        metric_text(one["second"]),
        "undefined" if one["difference"] is None else f"{one['difference']:+.4f}",
        f"{ends['low']:+.4f} to {ends['high']:+.4f}" if ends else "",
        marks[one["is_significant"]],
    )
