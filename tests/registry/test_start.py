from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from pytest_django import Settings

from mop.engine.client import engine
from mop.engine.names import check_known
from mop.engine.retention import forget_ended
from mop.registry.names import PIPELINE_QUEUE, PIPELINE_WORKFLOW
from mop.registry.services import cancel_revision, delete_model, retry_revision
from mop.registry.start import PIPELINE_JOB
from support.factories import ACTOR, make_model

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture(autouse=True)
def _engine(engine_database: str) -> Iterator[None]:
    engine.cache_clear()
    assert engine_database == settings.MOP_ENGINE_URL
    yield
    engine.cache_clear()


def status_of(workflow_id: str) -> str | None:
    found = engine().list_workflows(workflow_ids=[workflow_id])
    return found[0].status if found else None


def test_the_pipeline_is_enqueued_when_the_transaction_commits(django_capture_on_commit_callbacks: object):
    with django_capture_on_commit_callbacks() as callbacks:
        revision = make_model().revisions.get()
    assert status_of(revision.workflow_id) is None
    for callback in callbacks:
        callback()
    (work,) = engine().list_workflows(workflow_ids=[revision.workflow_id])
    assert (work.status, work.name, work.queue_name) == ("ENQUEUED", PIPELINE_WORKFLOW, PIPELINE_QUEUE)
    assert work.input["args"] == (str(revision.pk), 1)


def test_enqueuing_twice_is_harmless(django_capture_on_commit_callbacks: object):
    with django_capture_on_commit_callbacks(execute=True):
        revision = make_model().revisions.get()
    PIPELINE_JOB.enqueue(revision)
    assert len(engine().list_workflows(workflow_ids=[revision.workflow_id])) == 1


def test_cancel_stops_the_work_and_retry_enqueues_a_new_attempt(django_capture_on_commit_callbacks: object):
    with django_capture_on_commit_callbacks(execute=True):
        revision = make_model().revisions.get()
    with django_capture_on_commit_callbacks(execute=True):
        cancel_revision(actor=ACTOR, revision=revision)
    assert status_of(f"{revision.pk}:1") == "CANCELLED"
    with django_capture_on_commit_callbacks(execute=True):
        retry_revision(actor=ACTOR, revision=revision)
    assert status_of(f"{revision.pk}:2") == "ENQUEUED"


def test_deleting_a_model_stops_its_work(django_capture_on_commit_callbacks: object):
    with django_capture_on_commit_callbacks(execute=True):
        model = make_model()
    workflow_id = model.revisions.get().workflow_id
    with django_capture_on_commit_callbacks(execute=True):
        delete_model(actor=ACTOR, model=model)
    assert status_of(workflow_id) == "CANCELLED"


def test_a_name_that_no_area_declared_is_refused():
    with pytest.raises(ValueError, match="no workflow is declared"):
        check_known("pipeline.unknown")


def test_work_that_ended_long_ago_is_forgotten_with_what_its_steps_gave(
    django_capture_on_commit_callbacks: object, settings: Settings
):
    with django_capture_on_commit_callbacks(execute=True):
        ended, waiting = make_model().revisions.get(), make_model().revisions.get()
    with django_capture_on_commit_callbacks(execute=True):
        cancel_revision(actor=ACTOR, revision=ended)
    assert forget_ended() == 0  # it ended a moment ago
    tables = engine()._sys_db
    long_ago = int((time.time() - 31 * 24 * 3600) * 1000)
    status = tables.tables.workflow_status
    with tables.engine.begin() as connection:
        for revision, times in ((waiting, {}), (ended, {"completed_at": long_ago})):
            times |= {"created_at": long_ago, "updated_at": long_ago}
            mine = status.c.workflow_uuid == revision.workflow_id
            connection.execute(status.update().where(mine).values(**times))
    settings.MOP_ENGINE_DAYS = 0
    assert forget_ended() == 0
    settings.MOP_ENGINE_DAYS = 30
    assert forget_ended() == 1
    assert (status_of(ended.workflow_id), status_of(waiting.workflow_id)) == (None, "ENQUEUED")
    with tables.engine.begin() as connection:
        kept = connection.execute(tables.tables.workflow_input.select()).fetchall()
    assert ended.workflow_id not in str(kept)
    assert waiting.workflow_id in str(kept)
