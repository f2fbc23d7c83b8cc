"""`mop model waivers`, `waive` and `end-waiver`: findings that an administrator lets pass until a day."""

from typing import Annotated

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.options import JsonFlag, ModelName
from mop_client.cli.output import print_done, print_json, print_list

app = typer.Typer()

COLUMNS = ("ID", "RULE", "PATH", "UNTIL", "OWNER", "REASON")


@app.command()
def waivers(name: ModelName, *, as_json: JsonFlag = False) -> None:
    """List the waivers of a model's findings, newest first; those that ended say so."""
    with open_server() as server:
        found = list(server.pages("models", name, "waivers"))
    if as_json:
        print_json({"items": found})
        return
    rows = [
        (
            str(one["id"]),
            f"{one['scanner']}/{one['rule']}",
            one["path"],
            f"ended {one['ended_at'][:10]}" if one["ended_at"] else one["until"],
            one["owner"],
            one["reason"],
        )
        for one in found
    ]
    print_list(COLUMNS, rows, empty="The model has no waivers. An administrator accepts a finding: `mop model waive`.")


@app.command()
def waive(
    name: ModelName,
    rule: Annotated[
        str, typer.Argument(metavar="SCANNER/RULE", help="As `mop model findings` shows it.", show_default=False)
    ],
    path: Annotated[str, typer.Argument(help="The finding's path; * stands for any characters.", show_default=False)],
    *,
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Its last day.", show_default=False)],
    owner: Annotated[
        str,
        typer.Option(help="User name of who answers for it.", show_default=False, autocompletion=completion.users),
    ],
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why the finding does no harm.", show_default=False)],
    identifier: Annotated[
        str, typer.Option(help="Only the finding with this identifier, such as an advisory's.", show_default=False)
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Let a finding of a model's versions pass until a day, from the next scan on. Administrators only."""
    scanner, slash, rest = rule.partition("/")
    if not (scanner and slash and rest):
        raise typer.BadParameter(f"{rule!r} is not SCANNER/RULE, such as pickle/dangerous-global", param_hint="RULE")
    body = {
        "scanner": scanner,
        "rule": rest,
        "path": path,
        "identifier": identifier,
        "owner": owner,
        "reason": reason,
        "until": until,
    }
    with open_server() as server:
        made = server.post("models", name, "waivers", body=body)
    line = f"waiver {made['id']} is active until {made['until']}, from the next scan on (`mop model rescan {name}`)"
    print_done(made, line, as_json=as_json)


@app.command("end-waiver")
def end_waiver(
    name: ModelName,
    waiver: Annotated[int, typer.Argument(help="Its id, as `mop model waivers` shows it.", show_default=False)],
    *,
    as_json: JsonFlag = False,
) -> None:
    """End a waiver: the next scan judges the finding by the policy again. Administrators only."""
    with open_server() as server:
        server.delete("models", name, "waivers", str(waiver))
    print_done({"ended_waiver": waiver}, f"waiver {waiver} is ended", as_json=as_json)
