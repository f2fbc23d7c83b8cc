"""Enqueuing and cancelling against a real engine database without a worker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from mop.engine import client
from mop.engine.client import APPLICATION_VERSION, cancel, engine, enqueue
from mop.registry.names import PIPELINE_QUEUE, PIPELINE_WORKFLOW


@pytest.fixture
def work_id(engine_database: str) -> str:
    return str(uuid.uuid4())


@pytest.fixture
def unreachable_engine(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.MOP_ENGINE_URL = f"sqlite:///{tmp_path}/no-such-folder/engine.db"
    client.engine.cache_clear()
    yield
    client.engine.cache_clear()


def put(work_id: str, **options: int) -> None:
    enqueue(workflow=PIPELINE_WORKFLOW, queue=PIPELINE_QUEUE, workflow_id=work_id, args=("a", 1), **options)


def test_enqueuing_twice_is_one_piece_of_work(work_id: str):
    put(work_id)
    put(work_id)
    (found,) = engine().list_workflows(workflow_ids=[work_id])
    assert (found.status, found.name, found.queue_name) == ("ENQUEUED", PIPELINE_WORKFLOW, PIPELINE_QUEUE)
    assert found.app_version == APPLICATION_VERSION
    assert found.input is not None
    assert tuple(found.input["args"]) == ("a", 1)


def test_cancelled_work_is_not_taken_and_does_not_come_back_by_another_enqueue(work_id: str):
    put(work_id)
    cancel(work_id)
    put(work_id)
    (found,) = engine().list_workflows(workflow_ids=[work_id])
    assert found.status == "CANCELLED"


def test_cancelling_what_was_never_enqueued_is_harmless(work_id: str):
    cancel(work_id)
    assert engine().list_workflows(workflow_ids=[work_id]) == []


def test_priority_is_kept(work_id: str):
    put(work_id, priority=7)
    (found,) = engine().list_workflows(workflow_ids=[work_id])
    assert found.priority == 7


def test_an_engine_that_does_not_answer_is_logged_and_left_to_the_sweep(
    unreachable_engine: None, caplog: pytest.LogCaptureFixture
):
    put("lost")
    cancel("lost")
    messages = [record.getMessage() for record in caplog.records if record.name == "mop.engine.client"]
    assert [message.split(";")[0] for message in messages] == [
        "work lost could not be enqueued",
        "work lost could not be cancelled in the engine",
    ]
