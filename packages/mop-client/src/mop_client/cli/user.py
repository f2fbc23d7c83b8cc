"""`mop user`: people on a MOP server, for administrators."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag, one_of
from mop_client.cli.output import moment, print_done, print_json, print_list, printable, say

app = typer.Typer()

users = typer.Typer(help="People: who may sign in, their role, invitations. For administrators.")
app.add_typer(users, name="user", invoke_without_command=True, callback=show_help)

Person = Annotated[str, typer.Argument(metavar="USER", help="A user name.", autocompletion=completion.users)]


@users.command(name="list")
def list_users(
    *,
    search: Annotated[
        Optional[str], typer.Option(help="Part of the name or e-mail address.", show_default=False)
    ] = None,
    which: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(("enabled", "disabled", "administrators")),
            metavar="enabled|disabled|administrators",
            help="Only enabled accounts, disabled ones, or administrators.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List people."""
    with open_server() as server:
        found = server.pages("users", search=search, which=which)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["username"], one["name"], one["email"], _role(one), ", ".join(one["teams"]), _day(one["last_sign_in_at"]))
        for one in found
    ]
    print_list(
        ("USER", "NAME", "E-MAIL", "ROLE", "TEAMS", "LAST SIGN-IN"),
        rows,
        empty="No people to show. `mop user invite` invites somebody.",
    )


@users.command()
def show(user: Person, *, as_json: JsonFlag = False) -> None:
    """Show a person: how they sign in, their role and teams, what they own."""
    with open_server() as server:
        found = server.get("users", user)
    if as_json:
        print_json(found)
        return
    print(printable(f"{found['username']} ({found['name'] or '-'}, {found['email'] or '-'}), {_role(found)}"))
    print(printable(f"teams: {', '.join(found['teams'])}"))
    print(
        printable(f"signs in by {found['signs_in_by']}; second factors: {', '.join(found['second_factors']) or 'none'}")
    )
    sessions, tokens = found["session_count"], found["token_count"]
    print(f"{sessions} session{'' if sessions == 1 else 's'}, {tokens} token{'' if tokens == 1 else 's'}")
    for kind in found["belongings"]:
        print(printable(f"{kind['label']}: {', '.join(thing['name'] for thing in kind['things'])}"))


@users.command()
def sessions(user: Person, *, as_json: JsonFlag = False) -> None:
    """List where a person is signed in to the portal."""
    with open_server() as server:
        found = server.get("users", user, "sessions")
    if as_json:
        print_json(found)
        return
    rows = [(moment(one["created_at"]), moment(one["seen_at"]), one["address"], one["browser"]) for one in found]
    print_list(
        ("SINCE", "SEEN", "ADDRESS", "BROWSER"),
        rows,
        empty="They are signed in nowhere. Their access tokens are told by `mop user show`.",
    )


@users.command()
def enable(user: Person, *, as_json: JsonFlag = False) -> None:
    """Enable an account again; its former sessions and tokens stay ended."""
    _change(user, {"is_active": True}, "is enabled", as_json=as_json)


@users.command()
def disable(user: Person, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Disable an account: its sessions, tokens and webhooks end at once; what the person made stays."""
    _ask(yes, f"Disable the account of {user}? Sessions, tokens and webhooks end at once.")
    _change(user, {"is_active": False}, "is disabled", as_json=as_json)


@users.command()
def promote(user: Person, *, as_json: JsonFlag = False) -> None:
    """Make a person an administrator; the token needs the scope all:write."""
    _change(user, {"is_administrator": True}, "is an administrator", as_json=as_json)


@users.command()
def demote(user: Person, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Take the role of administrators from a person: sessions and tokens end at once."""
    _ask(yes, f"Take the role of administrators from {user}? Sessions and tokens end at once.")
    _change(user, {"is_administrator": False}, "is no longer an administrator", as_json=as_json)


@users.command(name="end-access")
def end_access(user: Person, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """End all sessions and tokens of a person, who may sign in again."""
    _ask(yes, f"End all sessions and tokens of {user}?")
    with open_server() as server:
        server.delete("users", user, "access")
    done = {"user": user, "access_ended": True}
    print_done(done, f"sessions and tokens of {user} are ended", as_json=as_json)


@users.command(name="remove-second-factors")
def remove_second_factors(user: Person, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Take all second factors from a person who lost them; the token needs the scope all:write."""
    _ask(yes, f"Remove all second factors of {user}?")
    with open_server() as server:
        server.delete("users", user, "second-factors")
    done = {"user": user, "second_factors_removed": True}
    print_done(done, f"{user} no longer has a second factor", as_json=as_json)


@users.command(name="reset-link")
def reset_link(user: Person, *, as_json: JsonFlag = False) -> None:
    """Print a link that sets a new password, once; the token needs the scope all:write."""
    with open_server() as server:
        made = server.post("users", user, "reset-link")
    if as_json:
        print_json(made)
        return
    print(made["link"])
    say(f"hand it over by a way that you trust; it works once, until {moment(made['expires_at'])}")


@users.command()
def reassign(
    user: Person,
    *,
    to: Annotated[str, typer.Option(help="The user name of the new owner.", autocompletion=completion.users)],
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make somebody else the owner of all that a person owns."""
    _ask(yes, f"Make {to} the owner of all that {user} owns?")
    with open_server() as server:
        done = server.post("users", user, "reassign", body={"to": to})
    if as_json:
        print_json(done)
    else:
        say(f"{to} owns what was {user}'s ({done['things']})")


@users.command()
def invite(
    email: Annotated[str, typer.Argument(help="Where the link is sent, if the server sends e-mail.")] = "",
    *,
    team: Annotated[
        Optional[str], typer.Option(help="The team of the new account.", autocompletion=completion.teams)
    ] = None,
    administrator: Annotated[
        bool, typer.Option("--administrator", help="Make an administrator; the token needs the scope all:write.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print a link by which one person makes an account, within seven days."""
    body = {"email": email, "team": team, "is_administrator": administrator}
    with open_server() as server:
        made = server.post("invitations", body=body)
    if as_json:
        print_json(made)
        return
    print(made["link"])
    sent = f"sent to {made['email']}" if made["is_mailed"] else "give it to the invited person alone"
    say(f"invitation {made['id']}: {sent}; it works once, until {moment(made['expires_at'])}")


@users.command()
def invitations(*, as_json: JsonFlag = False) -> None:
    """List invitations that can still be used."""
    with open_server() as server:
        found = server.get("invitations")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one["id"]),
            one["email"],
            one["team"] or "",
            "administrator" if one["is_administrator"] else "user",
            one["created_by"],
            _day(one["expires_at"]),
        )
        for one in found
    ]
    print_list(
        ("ID", "E-MAIL", "TEAM", "ROLE", "BY", "UNTIL"),
        rows,
        empty="No invitation can be used now. `mop user invite` makes one.",
    )


@users.command()
def withdraw(
    invitation: Annotated[int, typer.Argument(help="The invitation's id, as `mop user invitations` shows it.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Withdraw an invitation: its link stops working."""
    with open_server() as server:
        server.delete("invitations", str(invitation))
    done = {"invitation": invitation, "withdrawn": True}
    print_done(done, f"the invitation {invitation} is withdrawn", as_json=as_json)


def _change(user: str, body: dict[str, bool], told: str, *, as_json: bool) -> None:
    with open_server() as server:
        changed = server.patch("users", user, body=body)
    if as_json:
        print_json(changed)
    else:
        say(f"{user} {told}")


def _ask(yes: bool, question: str) -> None:  # noqa: FBT001 - the option itself
    if not yes:
        typer.confirm(question, abort=True, err=True)


def _role(user: dict[str, Any]) -> str:
    if not user["is_active"]:
        return "disabled"
    return "administrator" if user["is_administrator"] else "user"


def _day(at: Optional[str]) -> str:
    return at[:10] if at else "-"
