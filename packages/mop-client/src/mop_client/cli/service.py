"""`mop service`: downstream services and their conditions, over the REST API."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, one_of
from mop_client.cli.output import moment, print_fields, print_json, print_list, printable, say
from mop_client.words import SERVICE_KINDS, SERVICE_POLICIES

app = typer.Typer()

services = typer.Typer(help="Downstream services, which take released models (see `mop login`).")
app.add_typer(services, name="service", invoke_without_command=True, callback=show_help)

Name = Annotated[
    str, typer.Argument(help="The service's name.", show_default=False, autocompletion=completion.services)
]
File = Annotated[
    Optional[typer.FileText],
    typer.Option(
        "--set",
        metavar="FILE",
        encoding="utf-8",
        help="Store the conditions of this file, - for standard input. Left out: show the conditions.",
        show_default=False,
    ),
]
CheckedFile = Annotated[
    Optional[typer.FileText],
    typer.Option(
        "--check",
        metavar="FILE",
        encoding="utf-8",
        help="Only check the conditions of this file, - for standard input; nothing is stored.",
        show_default=False,
    ),
]


@services.command(name="list")
def list_services(*, as_json: JsonFlag = False) -> None:
    """List all downstream services."""
    with open_server() as server:
        found = server.get("services")
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], one["kind"], one["policy"], ", ".join(one["admins"]), one["contact"]) for one in found]
    print_list(
        ("NAME", "KIND", "POLICY", "ADMINS", "CONTACT"),
        rows,
        empty="There are no services. An administrator adds one: `mop service create`.",
    )


@services.command()
def show(service: Name, *, as_json: JsonFlag = False) -> None:
    """Show one service."""
    with open_server() as server:
        found = server.get("services", service)
    if as_json:
        print_json(found)
        return
    print_fields(found)


@services.command()
def create(
    service: Name,
    *,
    kind: Annotated[
        str,
        typer.Option(
            parser=one_of(SERVICE_KINDS),
            metavar="|".join(SERVICE_KINDS),
            help="The kind of service.",
            show_default=False,
        ),
    ],
    admin: Annotated[list[str], typer.Option(help="User name of an admin. Repeatable.", show_default=False)],
    policy: Annotated[
        str,
        typer.Option(
            parser=one_of(SERVICE_POLICIES),
            metavar="|".join(SERVICE_POLICIES),
            help="What a gate that does not pass does to a release request.",
        ),
    ] = "block",
    description: Annotated[str, typer.Option(help="What the service is for.", show_default=False)] = "",
    contact: Annotated[
        str, typer.Option(help="Whom to ask about the service: an address or a channel.", show_default=False)
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Define a downstream service. Administrators only."""
    body = {
        "name": service,
        "kind": kind,
        "admins": admin,
        "policy": policy,
        "description": description,
        "contact": contact,
    }
    with open_server() as server:
        created = server.post("services", body=body)
    if as_json:
        print_json(created)
    else:
        say(f"the service {service} is defined")


@services.command()
def edit(
    service: Name,
    *,
    policy: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(SERVICE_POLICIES),
            metavar="|".join(SERVICE_POLICIES),
            help="What a gate that does not pass does to a release request.",
            show_default=False,
        ),
    ] = None,
    admin: Annotated[
        Optional[list[str]],
        typer.Option(
            help="User name of an admin; those given replace all present ones. Repeatable.", show_default=False
        ),
    ] = None,
    description: Annotated[Optional[str], typer.Option(help="What the service is for.", show_default=False)] = None,
    contact: Annotated[
        Optional[str], typer.Option(help="Whom to ask about the service: an address or a channel.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a service; what is left out stays. Its admins and administrators."""
    given = {"policy": policy, "admins": admin or None, "description": description, "contact": contact}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise typer.BadParameter("Give at least one of --policy, --admin, --description and --contact.")
    with open_server() as server:
        changed = server.patch("services", service, body=body)
    if as_json:
        print_json(changed)
    else:
        say(f"the service {service} is changed")


@services.command()
def gate(service: Name, *, file: File = None, checked: CheckedFile = None, as_json: JsonFlag = False) -> None:
    """Show or set the conditions of a service. Setting: its admins only."""
    show_or_set(("services", service, "gate"), file, checked, as_json=as_json)


@services.command()
def live(service: Name, *, as_json: JsonFlag = False) -> None:
    """Show what a service runs now, by taxonomy and modality."""
    with open_server() as server:
        found = server.get("services", service, "live")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["taxonomy"], one["modality"], str(one["release"]), one["model"], one["version"], one["since"])
        for one in found
    ]
    print_list(
        ("TAXONOMY", "MODALITY", "RELEASE", "MODEL", "VERSION", "SINCE"),
        rows,
        empty="The service runs nothing now. `mop release request` asks for a release.",
    )


@services.command()
def history(service: Name, *, as_json: JsonFlag = False) -> None:
    """Show what a service ran, and from when to when."""
    with open_server() as server:
        found = server.get("services", service, "history")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["taxonomy"],
            one["modality"],
            str(one["release"]),
            one["model"],
            one["version"],
            moment(one["began_at"]),
            moment(one["ended_at"]),
            one["end"],
        )
        for one in found
    ]
    print_list(
        ("TAXONOMY", "MODALITY", "RELEASE", "MODEL", "VERSION", "FROM", "TO", "END"),
        rows,
        empty="The service has run nothing yet. `mop release request` asks for a release.",
    )


def show_or_set(
    path: tuple[str, ...], file: Optional[typer.FileText], checked: Optional[typer.FileText], *, as_json: bool
) -> None:
    """Show the conditions at an address, store those of a file there, or only read those of a file."""
    if file is not None and checked is not None:
        raise typer.BadParameter("give --set or --check")
    if checked is not None:
        _check(checked.read(), as_json=as_json)
        return
    with open_server() as server:
        found: dict[str, Any] = server.get(*path)
        if file is not None:
            found = server.put(*path, body={"conditions": file.read(), "number": found["number"]})
    if as_json:
        print_json(found)
    elif file is not None:
        say(f"the conditions are version {found['number']}")
    elif found["conditions"]:
        _print_lines(found["conditions"].splitlines())
    else:
        say("no conditions")


def _check(text: str, *, as_json: bool) -> None:
    with open_server() as server:
        found = server.post("gates", "check", body={"conditions": text})
    if as_json:
        print_json(found)
    else:
        _print_lines(found["conditions"])
        say(f"{len(found['conditions'])} conditions, each as MOP reads it; nothing is stored")


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        print(printable(line))
