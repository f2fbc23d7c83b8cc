"""`mop task list`: the tasks of a MOP server."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_columns, print_json

app = typer.Typer()


@app.command(name="list")
def list_tasks(
    *,
    search: Annotated[Optional[str], typer.Option(help="Part of the name or description.", show_default=False)] = None,
    taxonomy: Annotated[Optional[str], typer.Option(help="Only tasks of this taxonomy.", show_default=False)] = None,
    modality: Annotated[Optional[str], typer.Option(help="Only tasks of this modality.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the tasks that a model can resolve."""
    with open_server() as server:
        found = server.pages("tasks", search=search, taxonomy=taxonomy, modality=modality)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"], one["taxonomy"], one["modality"], one["label_type"], ", ".join(one["labels"]), one["team"])
        for one in found
    ]
    print_columns(("TASK", "TAXONOMY", "MODALITY", "LABEL TYPE", "LABELS", "TEAM"), rows)
