"""`mop release`: versions offered to downstream services, over the REST API."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import print_columns, print_fields, print_json, print_list, say
from mop_client.words import RELEASE_STATES

app = typer.Typer()

releases = typer.Typer(help="Releases to downstream services (see `mop login`).")
app.add_typer(releases, name="release", invoke_without_command=True, callback=show_help)

Number = Annotated[int, typer.Argument(help="The release's number.", show_default=False)]
Reason = Annotated[str, typer.Option("--comment", "-m", help="Why; it stays with the release.", show_default=False)]
Comment = Annotated[str, typer.Option("--comment", "-m", help="A comment that stays with the release.")]


@releases.command()
def request(
    model: Annotated[
        str, typer.Argument(help="The model's name.", show_default=False, autocompletion=completion.models)
    ],
    version: Annotated[
        str, typer.Argument(help="The version.", show_default=False, autocompletion=completion.versions)
    ],
    service: Annotated[
        str, typer.Argument(help="The service's name.", show_default=False, autocompletion=completion.services)
    ],
    *,
    taxonomy: Annotated[
        Optional[list[str]],
        typer.Option(help="Only this taxonomy; left out: all that the service takes. Repeatable."),
    ] = None,
    comment: Comment = "",
    check: Annotated[
        bool, typer.Option("--check", help="Show what a request would find, and request nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Request a release of a version. Owners of the model only."""
    offer: dict[str, Any] = {"model": model, "version": version, "taxonomies": taxonomy or None}
    with open_server() as server:
        if check:
            found = server.post("services", service, "releases", "check", body=offer)
        else:
            found = server.post("services", service, "releases", body={**offer, "comment": comment})
    if as_json:
        print_json(found)
    elif check:
        _show_offer(found)
    else:
        say(f"release {found['number']} is requested; admins of {service} are told")


@releases.command(name="list")
def list_releases(
    *,
    service: Annotated[
        str, typer.Option(help="Only releases to this service.", show_default=False, autocompletion=completion.services)
    ] = "",
    state: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of((*RELEASE_STATES, "waiting", "live", "ended")),
            metavar="STATE",
            help="A state, or waiting, live or ended.",
            show_default=False,
        ),
    ] = None,
    taxonomy: Annotated[str, typer.Option(help="Only releases for this taxonomy.", show_default=False)] = "",
    search: Annotated[str, typer.Option(help="Part of a model's name, or a number.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many of the newest.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List releases, the newest first."""
    with open_server() as server:
        query = {"service": service, "state": state, "taxonomy": taxonomy, "search": search, "limit": limit}
        found = server.get("releases", **query)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one["number"]),
            one["model"],
            one["version"],
            one["service"],
            ", ".join(task["taxonomy"] for task in one["tasks"]),
            one["state"],
            one["gates"],
            one["requested_by"],
        )
        for one in found
    ]
    print_list(
        ("RELEASE", "MODEL", "VERSION", "SERVICE", "TAXONOMIES", "STATE", "GATES", "REQUESTED BY"),
        rows,
        empty="No releases to show. `mop release request` asks for one.",
    )


@releases.command()
def show(
    number: Number,
    *,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Show its evidence as it stands, and what changed.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show a release and what happened to it, or its evidence."""
    with open_server() as server:
        found = server.get("releases", str(number), *(("evidence",) if evidence else ()))
    if as_json:
        print_json(found)
    elif evidence:
        _show_evidence(found)
    else:
        tasks = [f"{one['taxonomy']} {one['modality']}" for one in found["tasks"]]
        print_fields({**found, "tasks": tasks}, without=("events",))
        print()
        events = [(one["at"], one["what"], one["by"], one["detail"]) for one in reversed(found["events"])]
        print_columns(("AT", "WHAT", "BY", "DETAIL"), events)


@releases.command()
def approve(
    number: Number,
    *,
    comment: Reason,
    evidence: Annotated[
        Optional[str],
        typer.Option(help="Digest of the evidence that you read; left out: that of the request.", show_default=False),
    ] = None,
    canary: Annotated[
        Optional[int],
        typer.Option(min=1, max=99, help="Per cent of the requests that it answers as a canary.", show_default=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Let the service take a release. Only an admin who neither requested it nor owns the model."""
    body = {"comment": comment, "evidence": evidence, "canary_share": canary}
    _post(number, "approve", body, as_json=as_json)


@releases.command()
def reject(number: Number, *, comment: Reason, as_json: JsonFlag = False) -> None:
    """Refuse a release. Admins of the service only."""
    _post(number, "reject", {"comment": comment}, as_json=as_json)


@releases.command()
def withdraw(number: Number, *, comment: Comment = "", as_json: JsonFlag = False) -> None:
    """Take a release back before it is live. Its requester, owners of the model, once approved admins too."""
    _post(number, "withdraw", {"comment": comment}, as_json=as_json)


@releases.command()
def acknowledge(number: Number, *, as_json: JsonFlag = False) -> None:
    """Say that the service runs a release. Sign in with a token of the service."""
    _post(number, "acknowledge", {}, as_json=as_json)


@releases.command()
def released(number: Number, *, comment: Comment = "", as_json: JsonFlag = False) -> None:
    """Make an approved release live; a canary then answers every request. Admins of the service only."""
    _post(number, "released", {"comment": comment}, as_json=as_json)


@releases.command()
def retire(number: Number, *, comment: Reason, as_json: JsonFlag = False) -> None:
    """Take a live release out of the service; an approved one that waits may follow. Admins of the service only."""
    _post(number, "retire", {"comment": comment}, as_json=as_json)


@releases.command()
def rollback(number: Number, *, comment: Reason, as_json: JsonFlag = False) -> None:
    """Return from a live release to what was live before it. Admins of the service only."""
    with open_server() as server:
        made = server.post("releases", str(number), "rollback", body={"comment": comment})
    if as_json:
        print_json(made)
        return
    for one in made:
        say(f"release {one['number']}: {one['model']} {one['version']} is live again")


@releases.command()
def canary(
    number: Number,
    *,
    share: Annotated[
        Optional[int],
        typer.Option(min=1, max=99, help="Start it, or change its share, in per cent.", show_default=False),
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End it; needs --comment.")] = False,
    comment: Comment = "",
    as_json: JsonFlag = False,
) -> None:
    """Start, change or end the canary of an approved release. Admins of the service only."""
    if end == (share is not None):
        raise typer.BadParameter("Give --share PER CENT to start or change it, or --end to end it.")
    with open_server() as server:
        if end:
            found = server.post("releases", str(number), "canary", "end", body={"comment": comment})
        else:
            found = server.put("releases", str(number), "canary", body={"share": share})
    if as_json:
        print_json(found)
    else:
        said = "is no longer a canary" if end else f"answers {share} % of the requests"
        say(f"release {number} {said}")


def _post(number: int, action: str, body: dict[str, Any], *, as_json: bool) -> None:
    with open_server() as server:
        found = server.post("releases", str(number), action, body=body)
    if as_json:
        print_json(found)
    else:
        say(f"release {number} is {found['state']}")


def _show_offer(found: dict[str, Any]) -> None:
    rows = [(one["title"], "yes" if one["holds"] else "no", one["reason"]) for one in found["preconditions"]]
    print_columns(("PRECONDITION", "HOLDS", "REASON"), rows)
    say(f"gates: {found['gates']['result']}")
    if found["obstacle"]:
        say(f"A request would be refused. {found['obstacle']}")


def _show_evidence(found: dict[str, Any]) -> None:
    document = found["now"] or found["at_decision"] or found["at_request"]
    rows = [(one["title"], "yes" if one["holds"] else "no", one["reason"]) for one in document["preconditions"]]
    print_columns(("PRECONDITION", "HOLDS", "REASON"), rows)
    print()
    gates = [(row["condition"], f"{row['source']} {row['gate']}", row["result"]) for row in document["gates"]["rows"]]
    print_columns(("CONDITION", "OF", "RESULT"), gates)
    for change in found["changes"]:
        say(f"changed since the request: {change}")
    say(f"digest: {found['digest']}")
