"""Databases of a fresh installation with people and tasks: made once in a test process, then copied.

Migrating takes seconds of CPU, copying the SQLite files milliseconds, a PostgreSQL database from a template a tenth of
a second.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from support.forked import run_python

TESTS = Path(__file__).parents[1]
TEMPLATE = f"mop_prepared_{os.getpid()}"  # several test processes may share a server


@dataclass(frozen=True)
class People:
    """Who is in a prepared installation."""

    token: str
    administrator_token: str
    username: str
    password: str


def prepared_home(home: Path) -> People:
    """Make `home` the MOP_HOME of an installation on SQLite."""
    prepared, people = _sqlite()
    shutil.copytree(prepared, home)
    return people


def prepared_postgres(url: str, home: Path) -> People:
    """Fill the empty PostgreSQL database at `url`; `home` gets the files that belong to it."""
    server, _, name = url.rpartition("/")
    # never in the database itself; nor in template1, while others make databases from it, where it can be helped
    other = f"{server}/{'template1' if name == 'postgres' else 'postgres'}"
    with psycopg.connect(other, autocommit=True) as connection:
        (identifier,) = connection.execute("select system_identifier from pg_control_system()").fetchone() or ("",)
        prepared, people = _postgres(server, other, str(identifier))
        connection.execute(f'drop database "{name}"'.encode())
        connection.execute(f'create database "{name}" template "{TEMPLATE}" strategy wal_log'.encode())
        # a copied sequence goes on with the numbers that the template has logged; without a checkpoint in between the
        # copy logs none of them, and a server that crashes gives them out again
        connection.execute("checkpoint")
    shutil.copytree(prepared, home)
    return people


@functools.cache
def _sqlite() -> tuple[Path, People]:
    return _prepare()


@functools.cache
def _postgres(server: str, other: str, _identifier: str) -> tuple[Path, People]:
    """The template's files and people; a later server may listen at the same address."""
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f'create database "{TEMPLATE}" template template0'.encode())
    return _prepare(MOP_DATABASE_URL=f"{server}/{TEMPLATE}")


def _prepare(**options: str) -> tuple[Path, People]:
    folder = Path(tempfile.mkdtemp(prefix="mop-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    own = {"MOP_HOME": str(folder / "home"), "DJANGO_SETTINGS_MODULE": "mop.conf.settings", "PYTHONPATH": str(TESTS)}
    done = run_python([sys.executable, "-m", "support.installation_setup"], env=inherited | own | options)
    assert done.returncode == 0, done.stderr
    return folder / "home", People(**json.loads(done.stdout))
