from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

PREPARE = "import django; django.setup(); from mop.worker.setup import prepare_databases; prepare_databases()"


def prepare(home: Path) -> None:
    """As an operator's first start does, with the umask that most accounts have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    environment = kept | {"MOP_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    argv = ["sh", "-c", 'umask 022; exec "$@"', "sh", sys.executable, "-c", PREPARE]
    subprocess.run(argv, env=environment, check=True)


def modes(home: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in home.glob("*.db*")}


def test_databases_are_private_and_write_ahead_in_a_folder_that_others_may_read(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    prepare(home)
    assert modes(home).keys() >= {"mop.db", "engine.db"}
    assert set(modes(home).values()) == {0o600}
    for name in ("mop.db", "engine.db"):
        with closing(sqlite3.connect(home / name)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            # while it is open the further files of write-ahead mode are there
            connection.execute("BEGIN IMMEDIATE")
            assert set(modes(home).values()) == {0o600}
    (home / "mop.db").chmod(0o644)  # as an earlier release left it
    prepare(home)
    assert set(modes(home).values()) == {0o600}
