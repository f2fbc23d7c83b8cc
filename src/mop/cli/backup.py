"""`mop backup`: a consistent copy of this installation in one file, while it runs."""

from __future__ import annotations

import datetime as dt
import signal
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mop.cli.progress import ByteProgress
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, printable, say

app = typer.Typer()


@app.command()
def backup(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="New file to write (.tar.gz, or .tar without compression); in a folder it gets a name of its own.",
            show_default=False,
        ),
    ],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Copy this installation as it is at one moment to one file: databases, secret key, mop.toml, artifacts."""
    from mop.backup.create import Installation, create_backup
    from mop.cli.installation import installed_databases, open_settings

    open_settings()
    from django.conf import settings

    signal.signal(signal.SIGTERM, _stop)  # what was begun is removed
    file = (target / _file_name() if target.is_dir() else target).absolute()
    with ByteProgress() as progress:
        manifest = create_backup(
            Installation(settings.MOP_HOME, installed_databases(settings.MOP_HOME)), file, listener=progress
        )
    size = file.stat().st_size
    if as_json:
        print_json(
            {
                "file": str(file),
                "bytes": size,
                "made_at": manifest.made_at,
                "mop_version": manifest.mop_version,
                "databases": manifest.databases,
                "files": len(manifest.members),
                "left_out": manifest.left_out,
            }
        )
    else:
        print(file)
        say(f"{len(manifest.members):,} files, {size:,} bytes, as of {manifest.made_at}")
        if settings.OPTIONS["MOP_SECRET_KEY"]:
            say("MOP_SECRET_KEY is a setting of this installation: keep it beside the backup")
    for line in manifest.left_out:
        say(printable(f"left out: {line}"))
    if manifest.left_out:
        raise typer.Exit(ExitCode.FAILED)


def _file_name() -> str:
    return f"mop-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.tar.gz"


def _stop(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt
