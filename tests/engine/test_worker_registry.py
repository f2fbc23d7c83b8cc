from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from mop.engine.clock import from_now
from mop.engine.models import Worker
from mop.engine.runtime import ExecutorLock
from mop.engine.worker_registry import lock_folder, names_of_living_workers


def test_on_one_host_whoever_holds_the_lock_on_its_name_lives(settings: Settings, tmp_path: Path):
    settings.MOP_MANY_WORKERS = False
    settings.MOP_HOME = tmp_path
    assert names_of_living_workers() == []
    dead, living = (ExecutorLock(lock_folder() / f"{name}.lock") for name in ("dead", "living"))
    for lock in (dead, living):
        assert lock.acquire()
    dead.release()
    assert names_of_living_workers() == ["living"]
    living.release()


@pytest.mark.django_db
def test_on_many_hosts_whoever_was_heard_of_lately_lives(settings: Settings):
    settings.MOP_MANY_WORKERS = True
    heard = {"living": 1.0, "silent": 60.0, "lost": 1.0}
    for name, seconds in heard.items():
        Worker.objects.create(executor_id=name, name=name, lock="", process="", beat_at=from_now(-seconds))
    Worker.objects.filter(name="lost").update(lost_at=from_now(0.0))
    assert names_of_living_workers() == ["living"]
