"""`mop group`: groups of models on a MOP server, over its REST API."""

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop.errors import NotFoundError
from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag
from mop_client.cli.output import print_json, print_list, say

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

groups = typer.Typer(help="Groups of models: lists that you make and may share. They give no access to their models.")
app.add_typer(groups, name="group", invoke_without_command=True, callback=show_help)

Group = Annotated[
    str,
    typer.Argument(help="The group's name, or its id where several have the name.", autocompletion=completion.groups),
]
Models = Annotated[list[str], typer.Argument(help="Names of models.", autocompletion=completion.models)]
User = Annotated[Optional[str], typer.Option("--user", help="A user name.", show_default=False)]
Team = Annotated[Optional[str], typer.Option("--team", help="A team.", show_default=False)]


@groups.command(name="list")
def list_groups(*, as_json: JsonFlag = False) -> None:
    """List your groups and those shared with you."""
    with open_server() as server:
        items = server.get("groups")["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        (str(item["id"]), item["name"], item["owner"], str(item["model_count"]), "yes" if item["is_listed"] else "no")
        for item in items
    ]
    print_list(("ID", "NAME", "OWNER", "MODELS", "LISTED"), rows, empty="No groups. `mop group create` makes one.")


@groups.command()
def create(
    name: Annotated[str, typer.Argument(help="The new group's name.")],
    models: Annotated[Optional[list[str]], typer.Argument(help="Models to begin with.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Create a group."""
    with open_server() as server:
        for model in models or ():
            server.get("models", model)  # a wrong name leaves no group behind
        group = server.post("groups", body={"name": name})
        for model in models or ():
            server.put("groups", str(group["id"]), "models", model)
        _told(server.get("groups", str(group["id"])), f"group {name} is created", as_json=as_json)


@groups.command()
def rename(
    group: Group, name: Annotated[str, typer.Argument(help="Its new name.")], *, as_json: JsonFlag = False
) -> None:
    """Give a group another name."""
    with open_server() as server:
        _told(server.patch("groups", _id(server, group), body={"name": name}), f"{group} is {name}", as_json=as_json)


@groups.command()
def add(group: Group, models: Models, *, as_json: JsonFlag = False) -> None:
    """Put models into a group."""
    with open_server() as server:
        key = _id(server, group)
        for model in models:
            server.put("groups", key, "models", model)
        _told(server.get("groups", key), f"{', '.join(models)} in {group}", as_json=as_json)


@groups.command()
def remove(group: Group, models: Models, *, as_json: JsonFlag = False) -> None:
    """Take models out of a group; the models stay."""
    with open_server() as server:
        key = _id(server, group)
        for model in models:
            server.delete("groups", key, "models", model)
        _told(server.get("groups", key), f"{', '.join(models)} no longer in {group}", as_json=as_json)


@groups.command()
def share(group: Group, *, user: User = None, team: Team = None, as_json: JsonFlag = False) -> None:
    """Show a group to a user or a team."""
    with open_server() as server:
        key = _id(server, group)
        server.post("groups", key, "shares", body={"username": user, "team": team})
        _told(server.get("groups", key), f"{group} is shared with {user or team}", as_json=as_json)


@groups.command()
def unshare(group: Group, *, user: User = None, team: Team = None, as_json: JsonFlag = False) -> None:
    """Stop showing a group to a user or a team."""
    with open_server() as server:
        key = _id(server, group)
        shares = server.get("groups", key)["shares"]
        found = [item for item in shares if (item["username"], item["team"]) == (user, team)]
        if not found:
            raise NotFoundError(f"{group} is not shared with {user or team}.")
        server.delete("groups", key, "shares", str(found[0]["id"]))
        _told(server.get("groups", key), f"{group} is no longer shared with {user or team}", as_json=as_json)


@groups.command()
def hide(group: Group, *, as_json: JsonFlag = False) -> None:
    """Hide a group in your own list; nothing changes for others."""
    with open_server() as server:
        _told(
            server.patch("groups", _id(server, group), body={"is_listed": False}),
            f"{group} is out of your list",
            as_json=as_json,
        )


@groups.command()
def unhide(group: Group, *, as_json: JsonFlag = False) -> None:
    """Put a group into your list again."""
    with open_server() as server:
        _told(
            server.patch("groups", _id(server, group), body={"is_listed": True}),
            f"{group} is in your list",
            as_json=as_json,
        )


@groups.command()
def delete(
    group: Group,
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a group, for everybody; its models stay."""
    with open_server() as server:
        key = _id(server, group)
        if not yes:
            typer.confirm(f"Delete the group {group}? Its models stay.", abort=True, err=True)
        server.delete("groups", key)
    if as_json:
        print_json({"deleted_group": group})
    else:
        say(f"deleted the group {group}")


def _id(server: "Server", name: str) -> str:
    items = server.get("groups")["items"]
    found = [str(item["id"]) for item in items if item["name"] == name] or [
        str(item["id"]) for item in items if str(item["id"]) == name
    ]
    if not found:
        raise NotFoundError(
            f"There is no group {name!r} that you may see.", hint="`mop group list` shows what there is."
        )
    if len(found) > 1:
        raise typer.BadParameter(f"several groups are called {name}: give one of the ids {', '.join(found)}")
    return found[0]


def _told(group: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(group)
    else:
        say(text)
