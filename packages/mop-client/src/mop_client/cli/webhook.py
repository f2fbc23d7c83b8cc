"""`mop webhook`: urls that are told of events, on a MOP server."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag
from mop_client.cli.output import moment, print_done, print_json, print_list, printable, say

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

webhooks = typer.Typer(help="Webhooks: urls that are told what you, or a team of yours, are told.")
app.add_typer(webhooks, name="webhook", invoke_without_command=True, callback=show_help)

Webhook = Annotated[int, typer.Argument(help="The webhook's id, as `mop webhook list` shows it.")]
Kinds = Annotated[
    Optional[list[str]],
    typer.Option("--kind", help="A kind to be told of; every kind if left out. Repeatable.", show_default=False),
]
WAIT_SECONDS = 60
POLL_SECONDS = 1.0


@webhooks.command(name="list")
def list_webhooks(*, as_json: JsonFlag = False) -> None:
    """List your webhooks and those of your teams."""
    with open_server() as server:
        found = server.get("webhooks")
    if as_json:
        print_json(found["items"])
        return
    rows = [
        (str(one["id"]), one["url"], one["team"] or "me", _state(one), one["description"]) for one in found["items"]
    ]
    print_list(
        ("ID", "URL", "FOR", "STATE", "DESCRIPTION"),
        rows,
        empty="You and your teams have no webhook. `mop webhook create` makes one.",
    )
    if not found["hosts"]:
        say("webhooks are off: the operator has allowed no host (MOP_WEBHOOK_HOSTS)")


@webhooks.command()
def create(
    url: Annotated[str, typer.Argument(help="Where messages are sent, such as https://hooks.example.com/mop.")],
    *,
    team: Annotated[
        Optional[str], typer.Option(help="A team of yours; else it is your own.", show_default=False)
    ] = None,
    description: Annotated[str, typer.Option(help="What receives the messages.", show_default=False)] = "",
    kinds: Kinds = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a webhook and show its secret, this once."""
    body = {"url": url, "team": team, "description": description, "kinds": kinds or None}
    with open_server() as server:
        made = server.post("webhooks", body=body)
    if as_json:
        print_json(made)
        return
    say(f"webhook {made['id']} is added; its secret is shown this once:")
    print(made["secret"])


@webhooks.command()
def edit(
    webhook: Webhook,
    *,
    url: Annotated[Optional[str], typer.Option(help="Where messages are sent from now on.", show_default=False)] = None,
    description: Annotated[Optional[str], typer.Option(help="Its new description.", show_default=False)] = None,
    kinds: Annotated[
        Optional[list[str]],
        typer.Option("--kind", help="A kind to be told of, and no other. Repeatable.", show_default=False),
    ] = None,
    every_kind: Annotated[bool, typer.Option("--every-kind", help="Be told of every kind.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Change the url, the description or the kinds of a webhook; its secret stays."""
    if kinds and every_kind:
        raise typer.BadParameter("give --kind or --every-kind, not both")
    body: dict[str, Any] = {"url": url, "description": description, "kinds": kinds or None}
    body = {name: value for name, value in body.items() if value is not None}
    if every_kind:
        body["kinds"] = None
    if not body:
        raise typer.BadParameter("give --url, --description, --kind or --every-kind")
    with open_server() as server:
        changed = server.patch("webhooks", str(webhook), body=body)
    print_done(changed, f"webhook {webhook} is changed", as_json=as_json)


@webhooks.command()
def rotate(webhook: Webhook, *, as_json: JsonFlag = False) -> None:
    """Make a new secret and show it, this once; the former one signs too for 24 hours."""
    with open_server() as server:
        made = server.post("webhooks", str(webhook), "rotate")
    if as_json:
        print_json(made)
        return
    print(made["secret"])


@webhooks.command(name="test")
def send_test(webhook: Webhook, *, as_json: JsonFlag = False) -> None:
    """Send a test message and wait for the result; exit code 1 when it did not arrive at once."""
    with open_server() as server:
        delivery = _settled(server, webhook, server.post("webhooks", str(webhook), "test"))
    if as_json:
        print_json(delivery)
    else:
        say(f"{delivery['message_id']}: {_told(delivery)}")
    if delivery["state"] != "delivered":
        raise typer.Exit(ExitCode.UNDECIDED if not delivery["attempts"] else ExitCode.FAILED)


@webhooks.command()
def log(
    webhook: Webhook,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, from the newest.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Show what was sent to a webhook, newest first."""
    with open_server() as server:
        page = server.get("webhooks", str(webhook), "deliveries", limit=limit)
    if as_json:
        print_json(page)
        return
    rows = [
        (str(one["id"]), moment(one["created_at"]), one["label"], str(one["attempts"]), _told(one))
        for one in page["items"]
    ]
    print_list(
        ("ID", "CREATED", "EVENT", "ATTEMPTS", "STATE"),
        rows,
        empty="Nothing was sent yet. `mop webhook test` sends a test.",
    )


@webhooks.command()
def replay(
    webhook: Webhook,
    deliveries: Annotated[list[int], typer.Argument(help="Ids of deliveries, as `mop webhook log` shows them.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Send messages again, each under the same id."""
    with open_server() as server:
        queued = [server.post("webhooks", str(webhook), "deliveries", str(one), "replay") for one in deliveries]
    if as_json:
        print_json(queued)
        return
    for one in queued:
        say(f"{one['message_id']} is sent again")


@webhooks.command()
def enable(webhook: Webhook, *, as_json: JsonFlag = False) -> None:
    """Switch on a webhook that was switched off because nothing arrived."""
    with open_server() as server:
        found = server.post("webhooks", str(webhook), "enable")
    if as_json:
        print_json(found)
    else:
        say(f"webhook {webhook} is on")


@webhooks.command()
def delete(
    webhook: Webhook,
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a webhook with its log."""
    with open_server() as server:
        found = server.get("webhooks", str(webhook))
        if not yes:
            typer.confirm(f"Delete the webhook to {printable(found['url'])}?", abort=True, err=True)
        server.delete("webhooks", str(webhook))
    if as_json:
        print_json({"deleted": webhook})
    else:
        say(f"webhook {webhook} is deleted")


def _settled(server: "Server", webhook: int, delivery: dict[str, Any]) -> dict[str, Any]:
    """The delivery after its first try."""
    ends_at = time.monotonic() + WAIT_SECONDS
    while delivery["state"] == "queued" and not delivery["tries"] and time.monotonic() < ends_at:
        time.sleep(POLL_SECONDS)
        delivery = server.get("webhooks", str(webhook), "deliveries", str(delivery["id"]))
    return delivery


def _state(webhook: dict[str, Any]) -> str:
    if webhook["disabled_at"]:
        return "off"
    return "failing" if webhook["failing_since"] else "on"


def _told(delivery: dict[str, Any]) -> str:
    return f"{delivery['state']}: {delivery['error']}" if delivery["error"] else str(delivery["state"])
