from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from mop.engine.client import engine
from mop.engine.names import check_known
from mop.registry.names import PIPELINE_QUEUE, PIPELINE_WORKFLOW
from mop.registry.services import cancel_revision, delete_model, retry_revision
from mop.registry.start import PIPELINE_JOB
from support.factories import ACTOR, make_model

pytestmark = pytest.mark.django_db


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
