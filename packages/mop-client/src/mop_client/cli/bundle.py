"""`mop bundle`: signed bundles of versions on a server: made and pulled."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelName, ModelVersion
from mop_client.cli.output import print_json, say

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

bundles = typer.Typer(help="Signed bundles of versions, with their evidence.")
app.add_typer(bundles, name="bundle", invoke_without_command=True, callback=show_help)

POLL_SECONDS = 1.0


@bundles.command()
def pull(
    service: Annotated[
        str,
        typer.Argument(help="The downstream service's name.", show_default=False, autocompletion=completion.services),
    ],
    release: Annotated[int, typer.Argument(help="The release's number.", show_default=False)],
    *,
    to: Annotated[
        Optional[Path],
        typer.Option(metavar="FILE", help="Where to put it; as the server calls it if left out.", show_default=False),
    ] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait until it is made.")] = 600.0,
    as_json: JsonFlag = False,
) -> None:
    """Download the bundle of a release, with a token of the service (MOP_TOKEN) or as its admin.

    A download that was cut short is resumed where it ended. Verify the file afterwards with `mop bundle verify`.
    """
    from mop_client.cli.pulling import pull as pull_file

    path = ("services", service, "releases", str(release), "bundle")
    with open_server() as server:
        status = _ready(server, path, seconds=wait)
        target = to or Path(status["file_name"])
        resumed = pull_file(server, path, target, size=status["size"], sha256=status["sha256"])
    if as_json:
        print_json({**status, "file": str(target), "resumed_at": resumed})
    else:
        after = f", resumed at byte {resumed:,}" if resumed else ""
        say(f"{target}: {status['size']:,} bytes, SHA-256 {status['sha256']}{after}")


@bundles.command()
def make(
    name: ModelName,
    version: ModelVersion,
    *,
    to: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="Also download it to this file.", show_default=False)
    ] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait until it is made.")] = 600.0,
    as_json: JsonFlag = False,
) -> None:
    """Make a bundle of a verified version without a release. Administrators only."""
    from mop_client.cli.pulling import pull as pull_file

    path = ("models", name, "revisions", version, "bundle")
    with open_server() as server:
        server.post(*path)
        status = _ready(server, path, seconds=wait)
        if to is not None:
            pull_file(server, path, to, size=status["size"], sha256=status["sha256"])
    if as_json:
        print_json(status)
    else:
        say(f"{status['file_name']}: {status['size']:,} bytes, SHA-256 {status['sha256']}")


def _ready(server: "Server", path: tuple[str, ...], *, seconds: float) -> dict[str, Any]:
    """How the bundle stands once it is made.

    Raises:
        BundleNotReadyError: it is still being made after so many seconds.
        MopError: it could not be made.
    """
    from mop.errors import BundleNotReadyError, from_dict

    end = time.monotonic() + seconds
    while True:
        status: dict[str, Any] = server.get(*path, "status")
        if status["state"] == "failed":
            raise from_dict(status["error"])
        if status["state"] == "ready":
            return status
        if time.monotonic() > end:
            raise BundleNotReadyError("The bundle is still being made.")
        time.sleep(POLL_SECONDS)
