"""`mop model card`: the model card of a version, over the REST API."""

import sys
from typing import Annotated, Literal

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server

app = typer.Typer()


@app.command()
def card(
    name: Annotated[
        str, typer.Argument(help="The model's name.", show_default=False, autocompletion=completion.models)
    ],
    version: Annotated[
        str, typer.Argument(help="The version.", show_default=False, autocompletion=completion.versions)
    ],
    *,
    form: Annotated[Literal["json", "md", "html"], typer.Option("--format", help="In which form.")] = "md",
) -> None:
    """Print the model card of a version: intended use, data, results, load, findings, origin."""
    with open_server() as server:
        text = server.get_text("models", name, "revisions", version, "card", format=form)
    sys.stdout.write(text)
