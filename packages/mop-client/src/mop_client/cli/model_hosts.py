"""`mop model allowed-hosts`: the hosts that the model of a version may reach."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.model import Version, version_of
from mop_client.cli.options import JsonFlag, ModelName
from mop_client.cli.output import print_json, say

app = typer.Typer()


@app.command("allowed-hosts")
def allowed_hosts(
    name: ModelName,
    *,
    version: Version = None,
    allow: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="HOST[:PORT]",
            help="Allow this host, and no other but those named too. Repeatable.",
            show_default=False,
        ),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Allow no host: the model has no network.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the hosts that a version's model may reach, or change them. Administrators change them."""
    if none and allow:
        raise typer.BadParameter("give --allow or --none, not both")
    with open_server() as server:
        version = version_of(server, name, version)
        path = ("models", name, "revisions", version, "allowed-hosts")
        if allow or none:
            found = server.put(*path, body={"hosts": allow or []})
            if not as_json:
                say("it holds from the next deployment on")
        else:
            found = server.get(*path)
    if as_json:
        print_json(found)
        return
    if not found["hosts"]:
        say(f"{name} {version} may reach no host")
    for host in found["hosts"]:
        print(host)
