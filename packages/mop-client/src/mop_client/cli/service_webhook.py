"""`mop service webhook`: urls that are told of a service's releases, over the REST API."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag
from mop_client.cli.output import print_done, print_json, print_list, say
from mop_client.cli.service import Name

app = typer.Typer()

webhooks = typer.Typer(help="Webhooks of a service, for its admins: they are told of its releases.")
app.add_typer(webhooks, name="webhook", invoke_without_command=True, callback=show_help)


@webhooks.command(name="list")
def list_webhooks(service: Name, *, as_json: JsonFlag = False) -> None:
    """List the webhooks of a service, without their secrets."""
    with open_server() as server:
        found = server.get("services", service, "webhooks")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one["number"]),
            one["url"],
            ", ".join(one["kinds"] or ["everything"]),
            "off" if one["disabled_at"] else "on",
            one["description"],
        )
        for one in found
    ]
    print_list(
        ("NUMBER", "URL", "TOLD OF", "STATE", "DESCRIPTION"),
        rows,
        empty="The service has no webhook. `mop service webhook add` adds one.",
    )


@webhooks.command()
def add(
    service: Name,
    url: Annotated[str, typer.Argument(help="Where messages are sent, such as https://hooks.example.com/mop.")],
    *,
    kind: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="KIND", help="Such as release.approved; may be repeated. Left out: everything.", show_default=False
        ),
    ] = None,
    description: Annotated[str, typer.Option(help="What receives the messages.", show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """Add a webhook of a service and print its secret, once."""
    body = {"url": url, "description": description, "kinds": kind or None}
    with open_server() as server:
        made = server.post("services", service, "webhooks", body=body)
    if as_json:
        print_json(made)
        return
    print(made["secret"])
    say(f"webhook {made['number']} of {service} is added; keep its secret: it is shown once")


@webhooks.command()
def remove(
    service: Name,
    number: Annotated[int, typer.Argument(help="The webhook's number, as `list` shows it.", show_default=False)],
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove a webhook of a service; what waits is not sent."""
    with open_server() as server:
        if not yes:
            typer.confirm(f"Remove the webhook {number} of {service}?", abort=True, err=True)
        server.delete("services", service, "webhooks", str(number))
    done = {"service": service, "webhook": number, "removed": True}
    print_done(done, f"the webhook {number} of {service} is removed", as_json=as_json)
