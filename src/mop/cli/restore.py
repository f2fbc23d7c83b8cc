"""`mop restore`: an installation from a backup."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mop.cli.progress import ByteProgress
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, say

if TYPE_CHECKING:
    from mop.backup.restore import Known, Target

app = typer.Typer()


@app.command()
def restore(
    file: Annotated[
        Path, typer.Argument(help="A file that `mop backup` made.", exists=True, dir_okay=False, show_default=False)
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before an installation is replaced.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Replace this installation by a backup; the present one is moved aside. MOP must not run meanwhile."""
    from mop.backup.occupancy import emptied_of_users
    from mop.backup.restore import check_fit, look_into, restore_backup, what_goes
    from mop.cli.installation import conf
    from mop.engine.restored import hand_back_work

    home = conf("home").find_home(os.environ)
    manifest, settings_file = look_into(file)
    with emptied_of_users(home):
        target, engine_url, known = _prospect(home, settings_file)
        check_fit(manifest, target, known)
        if (goes := what_goes(target)) and not yes:
            say(f"This replaces {' and '.join(goes)}; what is there now is kept in a folder of {home}.")
            typer.confirm("Go on?", abort=True, err=True)
        with ByteProgress() as progress:
            restored = restore_backup(
                file,
                target,
                hand_back=lambda folder: hand_back_work(engine_url or f"sqlite:///{folder / 'engine.db'}"),
                listener=progress,
            )
    if as_json:
        print_json(
            {
                "home": str(home),
                "aside": None if restored.aside is None else str(restored.aside),
                "made_at": manifest.made_at,
                "mop_version": manifest.mop_version,
                "files": len(manifest.members),
                "work": restored.work,
                "left_out": manifest.left_out,
            }
        )
        return
    say(f"{home} is as of {manifest.made_at}; {restored.work} pieces of work go on when MOP starts")
    if restored.aside is not None:
        say(f"what was there before is in {restored.aside}")
    for line in manifest.left_out:
        say(f"the backup was made without {line}")
    say("Start it with `mop up`; environments are built again when they are needed.")


def _prospect(home: Path, settings_file: bytes | None) -> tuple[Target, str | None, Known]:
    """What the restored settings will name: their databases, and the engine's url unless it is a file of MOP_HOME.

    They are read in a scratch home that holds the backup's mop.toml; the environment wins over it, as ever.
    """
    import tempfile

    from mop.backup.restore import Known, Target
    from mop.cli.installation import installed_databases, open_settings
    from mop.engine.restored import known_schema

    with tempfile.TemporaryDirectory(prefix="mop-restore-") as folder:
        scratch = Path(folder)
        if settings_file is not None:
            (scratch / "mop.toml").write_bytes(settings_file)
        os.environ["MOP_HOME"] = folder
        open_settings()
        from django.conf import settings
        from django.db.migrations.loader import MigrationLoader

        databases = installed_databases(home, scratch=scratch)
        url = None if databases[-1].kind == "sqlite" else str(settings.MOP_ENGINE_URL)
        migrations = frozenset(f"{app_label}.{name}" for app_label, name in MigrationLoader(None).disk_migrations)
    return Target(home, databases), url, Known(migrations, known_schema(databases[-1].kind))
