"""pg_dump and pg_restore, where the host has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from mop.errors import BackupRefusedError, PlatformFault

if TYPE_CHECKING:
    from mop.backup.databases import PostgresDatabase

PACKAGES = Path("/usr/lib/postgresql")


def run_tool(name: str, *arguments: str, database: PostgresDatabase) -> None:
    """Run a tool of PostgreSQL on a database.

    Raises:
        BackupRefusedError: the host does not have it.
        PlatformFault: it failed.
    """
    connection = {
        "PGHOST": database.host,
        "PGPORT": database.port,
        "PGUSER": database.user,
        "PGPASSWORD": database.password,
        "PGDATABASE": database.database,
    }
    done = subprocess.run(
        [find_tool(name), "--no-password", f"--dbname={database.database}", *arguments],
        env=os.environ | {key: value for key, value in connection.items() if value},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = " ".join(done.stderr.split())[-500:]
        raise PlatformFault(
            f"{name} failed on {database.shown}: {reason}",
            hint="It must be at least as new as the server; check the rights of MOP's database user.",
        )


def find_tool(name: str) -> str:
    """The tool's path: from PATH, else the newest of Debian's packages.

    Raises:
        BackupRefusedError: there is none.
    """
    packaged = [path for path in PACKAGES.glob(f"*/bin/{name}") if path.parts[-3].isdigit()]
    newest = max(packaged, key=lambda path: int(path.parts[-3]), default=None)
    found = shutil.which(name) or (str(newest) if newest else None)
    if found is None:
        raise BackupRefusedError(
            f"{name} is not on this host, and MOP's database is a PostgreSQL server's.",
            hint="Install Debian's package postgresql-client, as new as the server; or use the server's own backup.",
        )
    return found
