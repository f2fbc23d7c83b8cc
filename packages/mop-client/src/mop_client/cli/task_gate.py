"""`mop task gate`: the gating conditions of a task, over the REST API."""

from typing import Annotated

import typer

from mop_client.cli import completion
from mop_client.cli.options import JsonFlag
from mop_client.cli.service import CheckedFile, File, show_or_set

app = typer.Typer()


@app.command()
def gate(
    task: Annotated[str, typer.Argument(help="The task's name.", show_default=False, autocompletion=completion.tasks)],
    *,
    file: File = None,
    checked: CheckedFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Show or set the conditions of a task. Setting: its owners only."""
    show_or_set(("tasks", task, "gate"), file, checked, as_json=as_json)
