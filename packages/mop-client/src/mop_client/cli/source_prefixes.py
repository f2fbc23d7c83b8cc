"""`mop source-prefix`: below which urls teams read models and datasets, on a MOP server, over its REST API."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import print_done, print_json, print_list, say
from mop_client.words import SOURCE_PURPOSES

app = typer.Typer()

prefixes = typer.Typer(help="Url prefixes below which teams may read models and datasets (see `mop login`).")
app.add_typer(prefixes, name="source-prefix", invoke_without_command=True, callback=show_help)


@prefixes.command(name="list")
def list_prefixes(*, as_json: JsonFlag = False) -> None:
    """List where your teams may read; for administrators the prefixes of all teams."""
    with open_server() as server:
        items = server.get("source-prefixes")
    if as_json:
        print_json(items)
        return
    rows = [
        (str(item["id"] or "-"), item["team"] or "every team", item["purpose"], item["prefix"], item["origin"])
        for item in items
    ]
    print_list(
        ("ID", "TEAM", "PURPOSE", "PREFIX", "FROM"),
        rows,
        empty="Your teams may read no url. An administrator adds a prefix: `mop source-prefix add`.",
    )


@prefixes.command()
def add(
    prefix: Annotated[
        str, typer.Argument(help="A url below a configured root or account; * for all of them.", show_default=False)
    ],
    *,
    purpose: Annotated[str, typer.Option(parser=one_of(SOURCE_PURPOSES), metavar="models|datasets", help="What for.")],
    team: Annotated[Optional[str], typer.Option(help="The team; every team if left out.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a team read below a url. Administrators only."""
    with open_server() as server:
        item = server.post("source-prefixes", body={"team": team, "purpose": purpose, "prefix": prefix})
    if as_json:
        print_json(item)
    else:
        say(f"Source prefix {item['id']}: {item['team'] or 'every team'} reads {purpose} below {item['prefix']}.")


@prefixes.command()
def remove(
    prefix_id: Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")], *, as_json: JsonFlag = False
) -> None:
    """Take a prefix from its team. Administrators only."""
    with open_server() as server:
        server.delete("source-prefixes", str(prefix_id))
    done = {"source_prefix": prefix_id, "removed": True}
    print_done(done, f"Source prefix {prefix_id} is removed.", as_json=as_json)
