"""`mop team`: teams and their members on a MOP server."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag
from mop_client.cli.output import print_columns, print_json, print_list, printable, say

app = typer.Typer()

teams = typer.Typer(help="Teams, which own models, tasks and datasets. Administrators change them.")
app.add_typer(teams, name="team", invoke_without_command=True, callback=show_help)

Team = Annotated[str, typer.Argument(help="The team's name.", autocompletion=completion.teams)]
Users = Annotated[list[str], typer.Argument(metavar="USER...", help="User names.", autocompletion=completion.users)]


@teams.command(name="list")
def list_teams(*, as_json: JsonFlag = False) -> None:
    """List the teams that you may see."""
    with open_server() as server:
        found = server.get("teams")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            "personal" if one["is_personal"] else "shared",
            "yes" if one["is_member"] else "no",
            one["description"],
        )
        for one in found
    ]
    print_list(
        ("TEAM", "KIND", "MEMBER", "DESCRIPTION"),
        rows,
        empty="You see no team. An administrator adds one, with you in it: `mop team create`.",
    )


@teams.command()
def show(team: Team, *, as_json: JsonFlag = False) -> None:
    """Show a team, and its members and what it uses of its quotas to members and administrators."""
    with open_server() as server:
        _shown(server.get("teams", team), as_json=as_json)


@teams.command()
def create(
    name: Annotated[str, typer.Argument(help="The new team's name.")],
    *,
    description: Annotated[str, typer.Option(help="What the team does.", show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """Create a team."""
    with open_server() as server:
        made = server.post("teams", body={"name": name, "description": description})
    if as_json:
        print_json(made)
    else:
        say(f"the team {name} is made")


@teams.command()
def edit(
    team: Team,
    *,
    name: Annotated[Optional[str], typer.Option(help="Its new name.", show_default=False)] = None,
    description: Annotated[Optional[str], typer.Option(help="Its new description.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Give a team another name or description."""
    body = {"name": name, "description": description}
    given = {field: value for field, value in body.items() if value is not None}
    if not given:
        raise typer.BadParameter("give --name or --description")
    with open_server() as server:
        _shown(server.patch("teams", team, body=given), as_json=as_json)


@teams.command()
def delete(
    team: Team,
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a team that has nothing; else the answer names what it has."""
    if not yes:
        typer.confirm(f"Delete the team {team}?", abort=True, err=True)
    with open_server() as server:
        server.delete("teams", team)
    if as_json:
        print_json({"deleted_team": team})
    else:
        say(f"deleted the team {team}")


@teams.command()
def add(team: Team, users: Users, *, as_json: JsonFlag = False) -> None:
    """Put people into a team."""
    with open_server() as server:
        for user in users:
            server.put("teams", team, "members", user)
        _told(server.get("teams", team), f"{', '.join(users)} in {team}", as_json=as_json)


@teams.command()
def remove(team: Team, users: Users, *, as_json: JsonFlag = False) -> None:
    """Take people out of a team; one left without a team gets a personal one."""
    with open_server() as server:
        for user in users:
            server.delete("teams", team, "members", user)
        _told(server.get("teams", team), f"{', '.join(users)} no longer in {team}", as_json=as_json)


@teams.command()
def limit(
    team: Team,
    quota: Annotated[str, typer.Argument(help="The quota's name, as `mop team show` names it.")],
    most: Annotated[str, typer.Argument(help="The limit: a number; 0: none; default: the installation's.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Give a team a limit of its own. Administrators only."""
    if most != "default" and not (most.isascii() and most.isdigit()):
        raise typer.BadParameter("MOST is a whole number, or default")
    body = {"limit": None if most == "default" else int(most)}
    with open_server() as server:
        _shown(server.put("teams", team, "quotas", quota, body=body), as_json=as_json)


def _shown(team: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(team)
        return
    print(printable(f"{team['name']}: {team['description']}"))
    if team["members"] is not None:
        print(printable(f"members: {', '.join(team['members']) or 'nobody'}"))
    if team.get("quotas"):  # an older server has none
        rows = [
            (
                *(one["name"], one["label"], f"{one['used']:,}"),
                *("none" if one["limit"] is None else f"{one['limit']:,}", one["unit"]),
                "the team's" if one["is_own"] else "the installation's",
            )
            for one in team["quotas"]
        ]
        print_columns(("QUOTA", "WHAT", "USED", "LIMIT", "UNIT", "WHOSE"), rows)


def _told(team: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(team)
    else:
        say(text)
