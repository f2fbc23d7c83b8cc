"""What supervisors and load balancers ask."""

from __future__ import annotations

import fcntl
from pathlib import Path

from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from mop.engine.worker_registry import lock_folder


def test_the_portal_is_alive_without_asking_the_database(db: None):
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert not queries
    assert "Set-Cookie" not in answer.headers
    assert Client().head("/health").status_code == 200
    assert Client().post("/health").status_code == 405


def test_the_portal_is_ready_while_its_database_answers_and_tells_of_workers(
    db: None, tmp_path: Path, settings: Settings
):
    settings.MOP_MANY_WORKERS, settings.MOP_HOME = False, tmp_path
    assert Client().get("/ready").json() == {"status": "ready", "workers": 0}
    folder = lock_folder()
    folder.mkdir()
    with (folder / "one.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert Client().get("/ready").json() == {"status": "ready", "workers": 1}


def test_without_its_database_the_portal_is_alive_and_not_ready(db: None):
    def fail(*_arguments: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(fail):
        answer = Client().get("/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "workers": None})
        assert Client().get("/health").status_code == 200
