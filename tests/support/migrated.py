"""The database of the tests of a process begins with MOP's tables, so that pytest finds nothing to migrate."""

from __future__ import annotations

import contextlib
import sqlite3

from django.db import connection

from support.postgres import TABLES
from support.prepared import prepared_tables

_held: list[sqlite3.Connection] = []
"""A database in memory is there as long as somebody has it open."""


def fill_test_database() -> None:
    """To be called before pytest makes the database."""
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = TABLES
        return
    _held.append(sqlite3.connect(connection.creation._get_test_db_name(), uri=True))
    with contextlib.closing(sqlite3.connect(f"file:{prepared_tables() / 'mop.db'}?mode=ro", uri=True)) as tables:
        tables.backup(_held[-1])
