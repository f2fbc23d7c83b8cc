"""Jobs: enqueued and cancelled with the transaction, and enqueued again when that was lost."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from django.test import TestCase
from django.utils import timezone

from mop.areas import registry
from mop.areas.area import Area
from mop.areas.references import Ref
from mop.areas.registry import area_of, register
from mop.engine.client import engine
from mop.engine.job import GRACE, Job, sweep_lost_enqueues
from mop.registry.names import PIPELINE_WORKFLOW

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@dataclass(frozen=True)
class Parcel:
    """A row with work, which waits in the table of this test."""

    workflow_id: str


def job_of(parcels: Sequence[Parcel], asked: list[dt.datetime]) -> Job[Parcel]:
    def waiting(before: dt.datetime) -> Sequence[Parcel]:
        asked.append(before)
        return parcels

    return Job(
        workflow=PIPELINE_WORKFLOW,
        workflow_id=lambda parcel: parcel.workflow_id,
        queue=lambda _parcel: "parcels",
        args=lambda parcel: (parcel.workflow_id, 7),
        waiting=waiting,
    )


@pytest.fixture
def parcel(engine_database: str) -> Parcel:
    return Parcel(f"parcel:{uuid.uuid4()}")


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the jobs of the test are known, and their workflow."""
    monkeypatch.setattr(registry, "_areas", {"pipeline": area_of("mop.pipeline")})
    jobs.clear()


jobs: dict[str, Job[Parcel]] = {}


def register_job(job: Job[Parcel]) -> None:
    """Let an area of its own have the job."""
    name = f"parcels {len(jobs)}"
    jobs[name] = job
    register(Area(name=name, jobs=(Given(name),)))


class Given(Ref[Job[Parcel]]):
    """A reference to a job of this test."""

    def load(self) -> Job[Parcel]:
        return jobs[self.name]


def status_of(parcel: Parcel) -> list[tuple[str, str | None]]:
    found = engine().list_workflows(workflow_ids=[parcel.workflow_id])
    return [(workflow.status, workflow.queue_name) for workflow in found]


def test_work_is_enqueued_and_cancelled_when_the_transaction_commits(parcel: Parcel):
    job = job_of([], [])
    with TestCase.captureOnCommitCallbacks(execute=True):
        job.start(parcel)
        assert status_of(parcel) == []
    assert status_of(parcel) == [("ENQUEUED", "parcels")]
    with TestCase.captureOnCommitCallbacks(execute=True):
        job.stop(parcel)
        assert status_of(parcel) == [("ENQUEUED", "parcels")]
    assert status_of(parcel)[0][0] == "CANCELLED"


def test_there_is_nothing_to_stop_where_no_work_was_named():
    with TestCase.captureOnCommitCallbacks() as callbacks:
        job_of([], []).stop(Parcel(""))
    assert callbacks == []


def test_what_waits_since_before_the_grace_time_is_enqueued_once(parcel: Parcel):
    asked: list[dt.datetime] = []
    register_job(job_of([parcel], asked))
    earliest = timezone.now() - GRACE
    assert sweep_lost_enqueues() == 1
    assert earliest <= asked[0] <= timezone.now() - GRACE
    assert sweep_lost_enqueues() == 1
    assert status_of(parcel) == [("ENQUEUED", "parcels")]


def test_two_jobs_of_one_workflow_are_a_bug():
    job = job_of([], [])
    register_job(job)
    register_job(job)
    assert sweep_lost_enqueues() == 0
    register_job(job_of([], []))
    with pytest.raises(ValueError, match="two jobs start the workflow"):
        sweep_lost_enqueues()
