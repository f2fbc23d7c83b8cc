"""`mop task show`, `edit` and `headline`: one task of a MOP server."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, printable, say

app = typer.Typer()

Task = Annotated[str, typer.Argument(help="The task's name.", show_default=False, autocompletion=completion.tasks)]


@app.command()
def show(task: Task, *, as_json: JsonFlag = False) -> None:
    """Show what a task is: taxonomy, modality, labels, team and owners."""
    with open_server() as server:
        found = server.get("tasks", task)
        headline = server.get("tasks", task, "headline-dataset")
    if as_json:
        print_json({**found, "headline_dataset": headline["dataset"]})
        return
    print(printable(f"{found['name']}: {found['description']}"))
    for name, value in (
        ("taxonomy", found["taxonomy"]),
        ("modality", found["modality"]),
        ("label type", found["label_type"]),
        ("labels", ", ".join(found["labels"])),
        ("team", found["team"]),
        ("owners", ", ".join(found["owners"])),
        ("headline dataset", _headline(headline)),
        ("created", f"{found['created_at'][:10]} by {found['created_by']}"),
    ):
        print(printable(f"{name + ':':<18}{value}"))


@app.command()
def edit(
    task: Task,
    *,
    description: Annotated[
        Optional[str], typer.Option(help="What its labels mean, in other words.", show_default=False)
    ] = None,
    owner: Annotated[
        Optional[list[str]],
        typer.Option(
            help="User name of an owner. Repeatable; those who are not named own the task no longer.",
            show_default=False,
            autocompletion=completion.users,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change the description or the owners of a task; the rest never changes. Its owners and administrators only."""
    body: dict[str, Any] = {} if description is None else {"description": description}
    if owner:
        body["owners"] = owner
    if not body:
        raise typer.BadParameter("give --description or --owner")
    with open_server() as server:
        changed = server.patch("tasks", task, body=body)
    if as_json:
        print_json(changed)
    else:
        say(f"the task {task} is changed; its owners: {', '.join(changed['owners'])}")


@app.command()
def headline(
    task: Task,
    dataset: Annotated[
        Optional[str],
        typer.Argument(
            help="An approved dataset of the task; left out: the choice is shown.",
            show_default=False,
            autocompletion=completion.datasets,
        ),
    ] = None,
    *,
    largest: Annotated[bool, typer.Option("--largest", help="Choose none: the largest approved one counts.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show or choose the dataset whose number stands beside a version. Owners of the task choose."""
    if largest and dataset is not None:
        raise typer.BadParameter("give a dataset or --largest, not both")
    with open_server() as server:
        if dataset is None and not largest:
            found = server.get("tasks", task, "headline-dataset")
        else:
            found = server.put("tasks", task, "headline-dataset", body={"dataset": dataset})
    if as_json:
        print_json(found)
    else:
        print(printable(_headline(found)))


def _headline(found: dict[str, Any]) -> str:
    if found["dataset"] is None:
        return "none: no dataset is approved for the task"
    how = "chosen by an owner" if found["is_chosen"] else "the largest that is approved"
    return f"{found['dataset']} ({how})"
