"""`mop bundle verify`, and the keys of an installation that signs bundles; `pull` and `make` are the client's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_columns, print_json, printable, say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from mop.releases.bundles.verification import Verified

app = typer.Typer()

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


@app.command()
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


@app.command()
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


@app.command()
def new_key(
    file: Annotated[Path, typer.Argument(help="Where the private key is written; the file must not exist yet.")],
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
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}.") from error
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


def _print(found: Verified, name: str) -> None:
    rows = [(check.name, "holds" if check.holds else "FAILS", check.detail) for check in found.checks]
    print_columns(("CHECK", "RESULT", "DETAIL"), rows)
    of = f"{found.manifest.model} {found.manifest.version}" if found.manifest else "a bundle"
    release = found.manifest.release if found.manifest else None
    if release is not None:
        of += f", release {release.id} to {release.service} for {', '.join(release.taxonomies)}"
    say(printable(f"{name}: {of}: {'everything holds' if found.holds else 'do not use it'}"))
