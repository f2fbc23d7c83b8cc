"""`mop task list` and `create`: the tasks of a MOP server."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import print_json, print_list, say
from mop_client.words import LABEL_TYPES, MODALITIES

app = typer.Typer()


@app.command(name="list")
def list_tasks(
    *,
    search: Annotated[Optional[str], typer.Option(help="Part of the name or description.", show_default=False)] = None,
    taxonomy: Annotated[Optional[str], typer.Option(help="Only tasks of this taxonomy.", show_default=False)] = None,
    modality: Annotated[Optional[str], typer.Option(help="Only tasks of this modality.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the tasks that a model can be connected to."""
    with open_server() as server:
        found = server.pages("tasks", search=search, taxonomy=taxonomy, modality=modality)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"], one["taxonomy"], one["modality"], one["label_type"], ", ".join(one["labels"]), one["team"])
        for one in found
    ]
    print_list(
        ("TASK", "TAXONOMY", "MODALITY", "LABEL TYPE", "LABELS", "TEAM"),
        rows,
        empty="No tasks to show. An administrator adds one: `mop task create`.",
    )


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The new task's name.", show_default=False)],
    *,
    team: Annotated[str, typer.Option(help="The team that it belongs to.", show_default=False)],
    taxonomy: Annotated[str, typer.Option(help="Its taxonomy, such as Hate.", show_default=False)],
    label_type: Annotated[
        str,
        typer.Option(
            parser=one_of(LABEL_TYPES),
            metavar="|".join(LABEL_TYPES),
            help="Ordinal: the labels ascend.",
            show_default=False,
        ),
    ],
    labels: Annotated[
        str, typer.Option(help="The labels in order, with commas; the first is the harmless one.", show_default=False)
    ],
    modality: Annotated[
        str,
        typer.Option(parser=one_of(MODALITIES), metavar="|".join(MODALITIES), help="What its models read."),
    ] = "Text",
    owner: Annotated[
        Optional[list[str]],
        typer.Option(help="User name of an owner; you if left out. Repeatable.", show_default=False),
    ] = None,
    description: Annotated[str, typer.Option(help="What its labels mean.", show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """Define a task. Administrators only."""
    body = {
        "name": name,
        "description": description,
        "team": team,
        "owners": owner or [],
        "modality": modality,
        "taxonomy": taxonomy,
        "label_type": label_type,
        "labels": [label.strip() for label in labels.split(",")],
    }
    with open_server() as server:
        made = server.post("tasks", body=body)
    if as_json:
        print_json(made)
    else:
        say(f"the task {name} is defined")
