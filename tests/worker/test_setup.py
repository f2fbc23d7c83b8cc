from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from support.prepared import OPEN_TO_READERS, copy_tables
from support.setups import set_up


def modes(home: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in home.glob("*.db*")}


def test_databases_are_private_and_write_ahead_in_a_folder_that_others_may_read(tmp_path: Path):
    home = tmp_path / "home"
    copy_tables(home)  # of a first start in such a folder; copies have the modes of what they are made from
    home.chmod(OPEN_TO_READERS)
    assert modes(home).keys() >= {"mop.db", "engine.db"}
    assert set(modes(home).values()) == {0o600}
    for name in ("mop.db", "engine.db"):
        with closing(sqlite3.connect(home / name)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            # while it is open the further files of write-ahead mode are there
            connection.execute("BEGIN IMMEDIATE")
            assert set(modes(home).values()) == {0o600}
    (home / "mop.db").chmod(0o644)  # as an earlier release left it
    set_up(home, "tables")
    assert set(modes(home).values()) == {0o600}
