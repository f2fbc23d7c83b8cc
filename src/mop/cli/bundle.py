"""`mop bundle`: signed bundles of versions: made, pulled, and verified where no server is."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.app import show_help
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_columns, print_json, printable, say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from mop.releases.bundles.verification import Verified
    from mop_client.cli.client import Server

app = typer.Typer()

bundles = typer.Typer(help="Signed bundles of versions, with their evidence.")
app.add_typer(bundles, name="bundle", invoke_without_command=True, callback=show_help)

POLL_SECONDS = 1.0
Name = Annotated[str, typer.Argument(help="The model's name.", show_default=False)]
Version = Annotated[str, typer.Argument(help="The version.", show_default=False)]
Keys = Annotated[
    list[Path],
    typer.Option(
        "--key",
        metavar="PUBLIC.pem",
        help="A public key that you accept, from the installation's operator. Repeatable: after a rotation, both.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]


@bundles.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The bundle.", exists=True, dir_okay=False, show_default=False)],
    *,
    key: Keys,
    as_json: JsonFlag = False,
) -> None:
    """Verify a bundle on this machine: signature, digests, artifact, environment, gates, numbers and model card.

    It needs no server and no network. Only the keys that you name are believed, never one in the bundle. Exit code: 0
    when everything holds, 1 when anything does not.
    """
    from mop.releases.bundles.verification import verify as verify_file

    with file.open("rb") as content:
        found = verify_file(content, _public_keys(key), total=file.stat().st_size)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found, file.name)
    raise typer.Exit(ExitCode.DONE if found.holds else ExitCode.FAILED)


@bundles.command()
def pull(
    service: Annotated[str, typer.Argument(help="The downstream service's name.", show_default=False)],
    release: Annotated[int, typer.Argument(help="The release's number.", show_default=False)],
    *,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to put it; as the server calls it if left out.", show_default=False),
    ] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait until it is made.")] = 600.0,
    as_json: JsonFlag = False,
) -> None:
    """Download the bundle of a release, with a token of the service (MOP_TOKEN) or as its admin.

    A download that was cut short is resumed where it ended. Verify the file afterwards with `mop bundle verify`.
    """
    from mop.cli.pulling import pull as pull_file

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
    name: Name,
    version: Version,
    *,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also download it to this file.", show_default=False)
    ] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait until it is made.")] = 600.0,
    as_json: JsonFlag = False,
) -> None:
    """Make a bundle of a verified version without a release. Administrators only."""
    from mop.cli.pulling import pull as pull_file

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


@bundles.command()
def key(*, as_json: JsonFlag = False) -> None:
    """Print the public key of this installation, which proves its bundles. For its operator, on its host."""
    from mop.cli.installation import open_settings

    open_settings()
    from django.conf import settings

    from mop.errors import SigningKeyError
    from mop.releases.bundles.keys import NO_KEY, NO_KEY_HINT, public_pem
    from mop.storage.model_signature import key_hint
    from mop.storage.signing_keys import read_signing_keys

    found = read_signing_keys(settings.MOP_SIGNING_KEY, ())
    if found.private is None:
        raise SigningKeyError(NO_KEY, hint=NO_KEY_HINT)
    public = found.private.public_key()
    if as_json:
        print_json({"key": key_hint(public), "pem": public_pem(public)})
    else:
        sys.stdout.write(public_pem(public))


@bundles.command()
def new_key(
    file: Annotated[Path, typer.Argument(help="Where the private key is written; nothing may stand there.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Make a new signing key and its public key beside it, FILE.pub. For the operator, on the host.

    The key signs nothing before MOP_SIGNING_KEY names it.
    """
    from mop.releases.bundles.keys import make_key
    from mop.storage.model_signature import key_hint

    try:
        made = make_key(file)
    except FileExistsError as error:
        raise typer.BadParameter(f"{error.filename} is there already; a key is never overwritten.") from error
    except OSError as error:
        raise typer.BadParameter(f"{file} can not be written: {error.strerror}.") from error
    if as_json:
        print_json({"key": key_hint(made.public), "private": str(file), "public": str(made.public_file)})
        return
    say(f"{file}: the private key; keep it as you keep passwords, and a copy in a safe place")
    say(f"{made.public_file}: the public key, for the services that take bundles")
    say(f"Set MOP_SIGNING_KEY={file.absolute()} and restart the workers.")
    say("If another key was set, add its public key to MOP_SIGNING_PUBLIC_KEYS: what it signed is then still accepted.")


def _public_keys(paths: list[Path]) -> list[ec.EllipticCurvePublicKey]:
    from mop.errors import SigningKeyError
    from mop.storage.signing_keys import read_signing_keys

    try:
        return list(read_signing_keys(None, paths).public)
    except SigningKeyError as error:
        raise typer.BadParameter(f"--key: {error.message}") from error


def _ready(server: Server, path: tuple[str, ...], *, seconds: float) -> dict[str, Any]:
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


def _print(found: Verified, name: str) -> None:
    rows = [(check.name, "holds" if check.holds else "FAILS", check.detail) for check in found.checks]
    print_columns(("CHECK", "RESULT", "DETAIL"), rows)
    of = f"{found.manifest.model} {found.manifest.version}" if found.manifest else "a bundle"
    release = found.manifest.release if found.manifest else None
    if release is not None:
        of += f", release {release.id} to {release.service} for {', '.join(release.taxonomies)}"
    say(printable(f"{name}: {of}: {'everything holds' if found.holds else 'do not use it'}"))
