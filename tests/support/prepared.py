"""Databases of a fresh installation, empty or with people and tasks: made once in a run of the tests, then copied.

Migrating takes many seconds of CPU, copying the SQLite files milliseconds, a PostgreSQL database from a template a
tenth of a second.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg

from support.made_once import made_once
from support.postgres import HOME, PEOPLE, PREPARED, prepared_cluster
from support.setups import set_up

OPEN_TO_READERS, PRIVATE = 0o755, 0o700


@dataclass(frozen=True)
class People:
    """Who is in a prepared installation."""

    token: str
    administrator_token: str
    reviewer_token: str
    username: str
    password: str


def prepared_tables() -> Path:
    """The MOP_HOME of an installation on SQLite that was started once and has nobody in it: to be copied."""
    return made_once("tables", _make_tables)


def copy_tables(home: Path) -> None:
    """Make `home`, which may be there, such a MOP_HOME."""
    shutil.copytree(prepared_tables(), home, dirs_exist_ok=True)


def prepared_home(home: Path) -> People:
    """Make `home` the MOP_HOME of an installation on SQLite."""
    made = made_once("people", _make_people)
    shutil.copytree(made / HOME, home)
    return _people(made)


def prepared_postgres(url: str, home: Path) -> People:
    """Fill the empty PostgreSQL database at `url`; `home` gets the files that belong to it."""
    server, _, name = url.rpartition("/")
    # never in the database itself; nor in template1, while others make databases from it, where it can be helped
    other = f"{server}/{'template1' if name == 'postgres' else 'postgres'}"
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f'drop database "{name}"'.encode())
        connection.execute(f'create database "{name}" template "{PREPARED}" strategy wal_log'.encode())
        # a copied sequence goes on with the numbers that the template has logged; without a checkpoint in between the
        # copy logs none of them, and a server that crashes gives them out again
        connection.execute("checkpoint")
    made = prepared_cluster()
    shutil.copytree(made / HOME, home)
    return _people(made)


def _make_tables(home: Path) -> None:
    """As an operator's first start, in a folder that others may read: `worker/test_setup.py` looks at the result."""
    home.mkdir(mode=OPEN_TO_READERS)
    set_up(home, "tables")
    home.chmod(PRIVATE)  # as MOP makes it, which is what most tests are to begin with


def _make_people(folder: Path) -> None:
    folder.mkdir()
    shutil.copytree(prepared_tables(), folder / HOME)
    (folder / PEOPLE).write_text(set_up(folder / HOME))


def _people(made: Path) -> People:
    return People(**json.loads((made / PEOPLE).read_text()))
