"""`mop task leaderboard`: the public versions of a task, best first."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import metric_text, print_columns, print_json, print_list
from mop_client.words import AVERAGES, METRICS

app = typer.Typer()


@app.command()
def leaderboard(
    task: Annotated[str, typer.Argument(help="The task's name.", show_default=False, autocompletion=completion.tasks)],
    *,
    metric: Annotated[
        str, typer.Option(parser=one_of(METRICS), metavar="|".join(METRICS), help="By what they are ranked.")
    ] = "f1",
    average: Annotated[
        str, typer.Option(parser=one_of(AVERAGES), metavar="|".join(AVERAGES), help="The average over labels.")
    ] = "macro",
    label: Annotated[
        Optional[str],
        typer.Option(help="By the label's own metric instead of an average.", show_default=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Rank the public versions of a task by a metric over its approved datasets; for each dataset the best one."""
    with open_server() as server:
        board = server.get("tasks", task, "leaderboard", metric=metric, average=average, label=label)
    if as_json:
        print_json(board)
        return
    rows = [
        (str(one["place"]), one["model"], one["version"], metric_text(one["average"], absent=""), str(one["datasets"]))
        for one in board["items"]
    ]
    print_list(
        ("PLACE", "MODEL", "VERSION", board["metric"].upper(), "DATASETS"),
        rows,
        empty="No public version has a result on an approved dataset. `mop task requests` lists the datasets.",
    )
    if board["datasets"]:
        print()
        print_columns(("DATASET", "BEST", board["metric"].upper()), [_best(board, name) for name in board["datasets"]])


def _best(board: dict[str, Any], dataset: str) -> tuple[str, str, str]:
    """The best version on a dataset; nothing where none was measured there."""
    measured = [one for one in board["items"] if one["values"].get(dataset) is not None]
    if not measured:
        return dataset, "", ""
    best = max(measured, key=lambda one: one["values"][dataset])
    return dataset, f"{best['model']} {best['version']}", metric_text(best["values"][dataset], absent="")
