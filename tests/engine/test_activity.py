from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from mop.engine import activity
from mop.engine.activity import is_change
from mop.engine.models import Schedule
from mop.engine.wakes import CHANGES, hearing_wakes
from mop.notifications.models import Alert


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What this process told the workers; its writes are seen, and nothing was told yet."""
    monkeypatch.setattr(activity, "_told_at", float("-inf"))
    heard: list[str] = []
    activity._watch(connection)
    activity._watch(connection)
    assert connection.execute_wrappers.count(activity._notice) == 1
    with hearing_wakes(heard.append):
        yield heard
    connection.execute_wrappers.remove(activity._notice)


@pytest.mark.parametrize(
    ("sql", "rows", "expected"),
    [
        ('INSERT INTO "registry_model" ("name") VALUES (%s)', 1, True),
        ('INSERT INTO "registry_model" ("name") VALUES (%s) RETURNING "registry_model"."id"', 0, True),
        ('INSERT OR IGNORE INTO "registry_model" ("name") VALUES (%s)', 1, True),
        ('INSERT OR IGNORE INTO "registry_model" ("name") VALUES (%s)', 0, False),
        ('UPDATE "registry_model" SET "name" = %s', 1, True),
        ("update registry_model set name = %s", 1, True),
        ('UPDATE "registry_model" SET "name" = %s', 0, False),
        ('DELETE FROM "registry_model" WHERE "id" = %s', 2, True),
        ('DELETE FROM "registry_model" WHERE "id" = %s', 0, False),
        ('SELECT "name" FROM "registry_model" FOR UPDATE', 3, False),
        ('UPDATE "engine_worker" SET "beat_at" = %s', 1, False),
        ('UPDATE "engine_schedule" SET "next_run_at" = %s', 1, False),
        ('INSERT INTO "django_session" ("session_key") VALUES (%s)', 1, False),
        ("SAVEPOINT s", -1, False),
    ],
)
def test_statements_that_change_rows_for_periodic_work_are_told(sql: str, rows: int, expected: object):
    assert is_change(sql, rows) is expected


@pytest.mark.django_db
def test_a_write_is_told_at_once_and_those_soon_after_it_are_not(told: list[str], monkeypatch: pytest.MonkeyPatch):
    assert not Alert.objects.exists()
    assert Alert.objects.update(message="m") == 0
    Session.objects.create(session_key="k", session_data="", expire_date=timezone.now())
    Schedule.objects.create(name="job", every_seconds=1.0, next_run_at=timezone.now())
    assert told == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE engine_schedule SET failures = 1")
    assert told == []
    Alert.objects.create(cause="first")
    Alert.objects.create(cause="second")
    assert told == [CHANGES]
    monkeypatch.setattr(activity, "TOLD_SECONDS", 0.0)
    Alert.objects.all().delete()
    assert told[1:]
