"""`mop gateway`: keys and containers of a service's gateway, and records of its answers, over the REST API."""

from typing import Annotated, Any

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import moment, print_done, print_json, print_list, say

app = typer.Typer()

gateway = typer.Typer(help="The gateway of a service: its keys, its blob containers, its answers (see `mop login`).")
app.add_typer(gateway, name="gateway", invoke_without_command=True, callback=show_help)
keys = typer.Typer(help="The two keys by which callers are known.")
gateway.add_typer(keys, name="key", invoke_without_command=True, callback=show_help)
containers = typer.Typer(help="Containers from which callers may name images by blobUrl.")
gateway.add_typer(containers, name="container", invoke_without_command=True, callback=show_help)

ServiceName = Annotated[
    str, typer.Argument(help="The service's name.", show_default=False, autocompletion=completion.services)
]
ContainerUrl = Annotated[
    str, typer.Argument(help="https://ACCOUNT.blob.core.windows.net/CONTAINER.", show_default=False)
]


@keys.command(name="list")
def list_keys(service: ServiceName, *, as_json: JsonFlag = False) -> None:
    """List which keys there are: their beginnings, and who made them when."""
    found = _gateway(service)["keys"]
    if as_json:
        print_json(found)
        return
    rows = [(str(one["number"]), one["prefix"], moment(one["created_at"]), one["created_by_label"]) for one in found]
    print_list(
        ("KEY", "BEGINS WITH", "MADE AT", "MADE BY"),
        rows,
        empty="The gateway has no key. `mop gateway key rotate` makes one.",
    )


@keys.command()
def rotate(
    service: ServiceName,
    number: Annotated[int, typer.Argument(min=1, max=2, help="1 or 2.", show_default=False)],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Make a new key 1 or 2 and print it, once. The former one ends within a second, the other one stays."""
    with open_server() as server:
        made = server.post("services", service, "gateway", "keys", str(number), "rotate")
    if as_json:
        print_json(made)
    else:
        print(made["key"])


@containers.command(name="list")
def list_containers(service: ServiceName, *, as_json: JsonFlag = False) -> None:
    """List the containers; their credentials are never shown."""
    found = _gateway(service)["containers"]
    if as_json:
        print_json(found)
        return
    rows = [(one["url"], moment(one["created_at"]), one["created_by_label"]) for one in found]
    print_list(
        ("CONTAINER", "ADDED AT", "ADDED BY"),
        rows,
        empty="No containers: callers send images in the request. `mop gateway container add` adds one.",
    )


@containers.command()
def add(
    service: ServiceName,
    url: ContainerUrl,
    *,
    credential: Annotated[
        typer.FileText,
        typer.Option(
            encoding="utf-8",
            metavar="FILE",
            help='JSON file, - for standard input: {"sas": ...}, {"account_key": ...} or {"anonymous": true}.',
            show_default=False,
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Let callers name images of a container, or give it another credential."""
    import json

    try:
        given = json.loads(credential.read())
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"it is not JSON: {error.msg}.", param_hint="--credential") from None
    with open_server() as server:
        made = server.post("services", service, "gateway", "containers", body={"url": url, "credential": given})
    if as_json:
        print_json(made)
    else:
        say(f"{made['url']} is listed")


@containers.command()
def remove(service: ServiceName, url: ContainerUrl, *, as_json: JsonFlag = False) -> None:
    """Stop callers from naming images of a container, and delete its credential."""
    from mop.errors import NotFoundError

    with open_server() as server:
        listed = server.get("services", service, "gateway")["containers"]
        found = [one["id"] for one in listed if one["url"] == url.rstrip("/")]
        if not found:
            raise NotFoundError(f"{service} does not list {url}.", hint=f"mop gateway container list '{service}'")
        server.delete("services", service, "gateway", "containers", str(found[0]))
    done = {"service": service, "container": url, "removed": True}
    print_done(done, f"{url} is no longer listed", as_json=as_json)


@gateway.command()
def answer(
    service: ServiceName,
    request_id: Annotated[str, typer.Argument(help="The x-ms-request-id of the answer.", show_default=False)],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show the record of an answer: when, by which releases, which severities; never what was asked."""
    with open_server() as server:
        found = server.get("services", service, "gateway", "answers", request_id)
    if as_json:
        print_json(found)
        return
    say(f"{found['kind']}, {found['at']}, status {found['status']}, {found['milliseconds']:.1f} ms")
    rows = [
        (
            category,
            str(one["severity"]),
            f"{one['score']:.3f}",
            one["version"],
            f"{one['release']}{' (canary)' if one['is_canary'] else ''}",
        )
        for category, one in found["findings"].items()
    ]
    print_list(("CATEGORY", "SEVERITY", "SCORE", "VERSION", "RELEASE"), rows, empty="The answer names no category.")


def _gateway(service: str) -> Any:
    with open_server() as server:
        return server.get("services", service, "gateway")
