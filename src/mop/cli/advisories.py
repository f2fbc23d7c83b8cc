"""`mop advisories`: what this installation knows of holes in packages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mop.cli.app import show_help
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, printable, say

app = typer.Typer()

advisories = typer.Typer(help="Advisories about packages, which environments of models are matched against.")
app.add_typer(advisories, name="advisories", invoke_without_command=True, callback=show_help)


@advisories.command(name="import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="An export of OSV: the file PyPI/all.zip.", exists=True, dir_okay=False, show_default=False
        ),
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Also when what is there is newer.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Replace the imported advisories by those of a file, whole or not at all."""
    from mop.cli.installation import open_database

    open_database()
    from django.conf import settings

    from mop.advisories.services import import_advisories
    from mop.audit.services import Actor

    done = import_advisories(actor=Actor.system("advisories import"), file=file, force=force)
    if as_json:
        print_json(
            {
                "records": done.records,
                "passed_over": done.passed_over,
                "newest_modified": done.newest_modified.isoformat(),
                "sha256": done.sha256,
            }
        )
    else:
        print(f"{done.records:,} advisories, the newest change of {done.newest_modified:%Y-%m-%d %H:%M} UTC")
    if settings.MOP_ADVISORIES != "imported":
        say("They are not used: set MOP_ADVISORIES=imported.")


@advisories.command()
def status(*, as_json: JsonFlag = False) -> None:
    """Show where advisories come from and how new they are; exit code 1 when they cannot be relied on."""
    from mop.cli.installation import open_database

    open_database()
    from mop.advisories.selectors import knowledge, newest_import, problem

    known, newest, wrong = knowledge(), newest_import(), problem()
    document: dict[str, Any] = {
        "source": known.source.value,
        "dated": known.dated.isoformat() if known.dated else None,
        "records": known.records,
        "problem": wrong,
        "last_import": None
        if newest is None
        else {
            "imported_at": newest.imported_at.isoformat(),
            "file": newest.source,
            "sha256": newest.sha256,
            "records": newest.records,
            "passed_over": newest.passed_over,
            "newest_modified": newest.newest_modified.isoformat(),
        },
    }
    if as_json:
        print_json(document)
    else:
        print(f"source      {known.source}")
        if newest is not None:
            print(printable(f"imported    {newest.imported_at:%Y-%m-%d %H:%M} UTC, {newest.source}"))
            print(
                f"            {newest.records:,} advisories, the newest change of {newest.newest_modified:%Y-%m-%d} UTC"
            )
        if wrong:
            print(printable(f"problem     {wrong}"))
    if wrong:
        raise typer.Exit(ExitCode.FAILED)
