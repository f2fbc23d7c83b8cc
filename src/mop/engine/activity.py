"""Telling the workers that rows change: while nothing does, their periodic work is done seldom.

Most periodic work looks for rows that others left. Where no row changes there is nothing to find, so each worker does
what it does more often than once a minute only that often, until a process writes a row:

    portal, API, worker: INSERT, UPDATE, DELETE ── tell() ── wake(CHANGES) ──► schedules are done at their own intervals
                                                                               for the next minute

Every statement of a process that called `report_changes` is seen, so no area can forget to tell. A wake is sent at the
statement and not at the commit, and one stands for those of the next ten seconds: the minute is longer than either.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from mop.engine.wakes import CHANGES, wake

TOLD_SECONDS = 10.0
# rows of the workers' own housekeeping and of people who sign in: no periodic work looks for them soon
UNTOLD = ("engine_worker", "engine_schedule", "django_session")

_WRITE = re.compile(r'\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) "?(\w+)', re.IGNORECASE)
_told_at = float("-inf")


def report_changes() -> None:
    """Let the workers hear of what this process writes from now on, and of what its former life may have left."""
    connection_created.connect(_watch)
    tell()


def tell() -> None:
    """Tell the workers that something changed, unless they were told a moment ago."""
    global _told_at  # noqa: PLW0603 - of the process
    now = time.monotonic()
    if now - _told_at >= TOLD_SECONDS:
        _told_at = now
        wake(CHANGES)


def is_change(sql: str, rows: int) -> bool:
    """Whether a statement changed rows that periodic work may look for.

    Args:
        sql: the statement.
        rows: how many rows the driver says it changed; SQLite's says 0 until rows that it returns are read.
    """
    written = _WRITE.match(sql)
    return written is not None and written[1] not in UNTOLD and (rows != 0 or " RETURNING " in sql)


def _watch(connection: BaseDatabaseWrapper, **_others: Any) -> None:
    if _notice not in connection.execute_wrappers:  # a connection that is made again keeps them
        connection.execute_wrappers.append(_notice)


def _notice(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001 - Django's
    result = execute(sql, params, many, context)
    if isinstance(sql, str) and is_change(sql, context["cursor"].rowcount):
        tell()
    return result
