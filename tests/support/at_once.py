"""Calls of several people at one moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection, connections

from mop.errors import MopError


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Call all at one moment, each with a connection of its own; the names of what they raised, empty for none.

    SQLite's database of the tests lies in memory, with room for one connection: there one call follows the other.
    """
    if connection.vendor == "sqlite":
        return sorted(_named(call) for call in calls)
    together = Barrier(len(calls))

    def one(call: Callable[[], object]) -> str:
        try:
            together.wait(timeout=10)
            return _named(call)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(one, calls))


def _named(call: Callable[[], object]) -> str:
    try:
        call()
    except MopError as error:
        return error.name
    return ""
