from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from mop.audit.models import AuditEvent
from mop.engine import fence
from mop.engine.clock import DatabaseClock
from mop.engine.fence import WorkerLostError, hold_fence, stand_behind_fence
from mop.engine.liveness import Liveness, Pulse
from mop.engine.models import Worker
from mop.errors import PackageIndexUnavailableError
from mop.onboarding.jobs import claim, conclude, move, read_job
from mop.onboarding.logs import LogWriter
from mop.onboarding.models import LogKind, LogLine
from mop.pipeline.workflows import _next_attempt
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from support.factories import make_model

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
ME = "worker:w1:1"


@pytest.fixture
def revision() -> Revision:
    return make_model().revisions.get()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """This process writes as a worker; gives what it is told when it is lost."""
    monkeypatch.setattr(fence, "_executor_id", "")
    monkeypatch.setattr(fence, "_on_lost", None)
    Worker.objects.create(executor_id=ME, name="w1", lock="", process="")
    reasons: list[str] = []
    stand_behind_fence(ME, reasons.append)
    return reasons


def lose() -> None:
    Worker.objects.update(lost_at=DatabaseClock())


def state(revision: Revision) -> list[object]:
    """Everything that a worker writes of a revision."""
    return [
        Revision.objects.filter(pk=revision.pk).values().get(),
        list(revision.events.values()),
        list(AuditEvent.objects.filter(object_id=str(revision.pk)).values()),
        list(LogLine.objects.filter(revision=revision).values()),
    ]


def test_who_is_no_worker_has_no_fence():
    hold_fence()


def test_a_living_worker_writes(revision: Revision, told: list[str]):
    order = read_job(str(revision.pk), 1, "w1")
    move(order, RevisionStatus.DATA_DOWNLOADED, facts={"artifact_digest": "abc"})
    revision.refresh_from_db()
    assert (revision.status, revision.host, revision.artifact_digest) == ("dataDownloaded", "w1", "abc")
    assert told == []


def write_log(revision: Revision) -> None:
    async def write() -> None:
        async with LogWriter(revision.pk, LogKind.BUILD, lines_max=10) as log:
            log("too late")

    async_to_sync(write)()


LATE: dict[str, Callable[[Revision], object]] = {
    "takes": lambda revision: claim(str(revision.pk), 1, "w1"),
    "reads": lambda revision: read_job(str(revision.pk), 1, "w1"),
    "concludes": lambda revision: conclude(str(revision.pk), 1, PackageIndexUnavailableError("down")),
    "logs": write_log,
    "begins": lambda revision: _next_attempt(str(revision.pk), 2, revision.workflow_id),
}


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_a_lost_worker_writes_nothing(revision: Revision, told: list[str], late: Callable[[Revision], object]):
    before = state(revision)
    lose()
    with pytest.raises(WorkerLostError):
        late(revision)
    assert state(revision) == before
    assert len(told) == 1


def test_a_lost_worker_enters_no_status_and_saves_no_fact(revision: Revision, told: list[str]):
    order = read_job(str(revision.pk), 1, "w1")
    before = state(revision)
    lose()
    for to in (RevisionStatus.DATA_DOWNLOADED, RevisionStatus.CREATED):  # the second stands: only facts would be saved
        with pytest.raises(WorkerLostError):
            move(order, to, facts={"artifact_digest": "late"})
    assert state(revision) == before


def test_a_worker_whose_row_was_cleaned_away_is_lost(revision: Revision, told: list[str]):
    Worker.objects.all().delete()
    with pytest.raises(WorkerLostError):
        claim(str(revision.pk), 1, "w1")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_writes_is_not_lost_before_its_transaction_ends(told: list[str]):
    other = Liveness(name="w2", lock="", pulse=Pulse(1.0, 5.0), recover=str, release=str, stop=str)

    def claims() -> bool:
        try:
            return other.claim(Worker.objects.filter(pk=ME))
        finally:
            connection.close()

    if connection.vendor == "postgresql":  # where there may be other workers; SQLite in memory has room for one
        with ThreadPoolExecutor(1) as elsewhere, transaction.atomic():
            hold_fence()
            assert not elsewhere.submit(claims).result()
    hold_fence()
    assert other.claim(Worker.objects.filter(pk=ME))
    with pytest.raises(WorkerLostError), transaction.atomic():
        hold_fence()
