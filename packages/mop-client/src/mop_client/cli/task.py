"""`mop task`: what owners of tasks decide, over the REST API."""

from typing import Annotated, Any

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, print_list, say

app = typer.Typer()

tasks = typer.Typer(help="Tasks, their gates, and requests to use datasets for them (see `mop login`).")
app.add_typer(tasks, name="task", invoke_without_command=True, callback=show_help)

Task = Annotated[str, typer.Argument(help="The task's name.", show_default=False, autocompletion=completion.tasks)]
Dataset = Annotated[
    str, typer.Argument(help="The dataset's name.", show_default=False, autocompletion=completion.datasets)
]
Comment = Annotated[str, typer.Option(help="What the dataset's owners are told.", show_default=False)]


@tasks.command()
def requests(task: Task, *, as_json: JsonFlag = False) -> None:
    """List the datasets that are connected to a task or ask to be."""
    with open_server() as server:
        found = server.get("tasks", task, "requests")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["dataset"],
            one["state"],
            one["status"],
            one["label_type"],
            "" if one["sample_number"] is None else str(one["sample_number"]),
            one["team"],
            ", ".join(f"{shared['dataset']} ({shared['rows']})" for shared in one["shared_rows"]),
        )
        for one in found
    ]
    print_list(
        ("DATASET", "BINDING", "STATUS", "TYPE", "SAMPLES", "TEAM", "SHARES ROWS WITH"),
        rows,
        empty="No dataset is connected to the task or asks to be. `mop dataset edit --task` asks.",
    )


@tasks.command()
def approve(task: Task, dataset: Dataset, *, comment: Comment = "", as_json: JsonFlag = False) -> None:
    """Let models of the task be measured on a dataset."""
    _decide(task, dataset, "approve", comment, as_json=as_json)


@tasks.command()
def reject(task: Task, dataset: Dataset, *, comment: Comment = "", as_json: JsonFlag = False) -> None:
    """Refuse a dataset, or take an approval back."""
    _decide(task, dataset, "reject", comment, as_json=as_json)


def _decide(task: str, dataset: str, decision: str, comment: str, *, as_json: bool) -> None:
    with open_server() as server:
        decided: dict[str, Any] = server.post("tasks", task, "datasets", dataset, decision, body={"comment": comment})
    if as_json:
        print_json(decided)
    else:
        say(f"{dataset} is {decided['state']} for {task}")
