"""What a worker does while nobody uses the installation: a new area can add a little to it, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from mop.areas.registry import registered
from mop.engine.activity import is_change
from mop.engine.client import engine
from mop.engine.schedules import IDLE_SECONDS
from mop.worker.areas import _number

# of all periodic work together; each costs a worker about half a millisecond
STATEMENTS_A_MINUTE = 45.0


@pytest.fixture
def _engine(engine_database: str) -> Iterator[None]:
    assert engine_database == settings.MOP_ENGINE_URL
    engine.cache_clear()
    yield
    engine.cache_clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("_engine")
def test_periodic_work_that_finds_nothing_asks_little_and_changes_nothing():
    """Whatever writes each time keeps the worker from ever being idle."""
    statements: list[str] = []
    changes: list[str] = []

    def see(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's
        result = execute(sql, params, many, context)
        statements.append(sql)
        if is_change(sql, context["cursor"].rowcount):
            changes.append(sql)
        return result

    found: dict[str, float] = {}
    for area in registered():
        for schedule in area.schedules:
            function, every = schedule.function.load(), _number(schedule.every_seconds)
            function()  # the first run may make what all later ones use
            statements.clear()
            with connection.execute_wrapper(see):
                function()
            assert changes == [], schedule.name
            if every > 0:
                found[schedule.name] = len(statements) * 60.0 / max(every, IDLE_SECONDS)
    assert len(found) > 10
    assert sum(found.values()) <= STATEMENTS_A_MINUTE, found
