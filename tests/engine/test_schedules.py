from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection

from mop.engine import schedules
from mop.engine.clock import from_now
from mop.engine.models import Schedule
from mop.engine.schedules import (
    CLAIM_SECONDS,
    IDLE_SECONDS,
    RETRY_SECONDS,
    Job,
    bring_forward,
    finish,
    look,
    make_known,
    register_schedule,
    renew,
    run_schedules,
)
from mop.engine.wakes import CHANGES, heard
from support.waiting import POLL_SECONDS

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the jobs of the test are known."""
    monkeypatch.setattr(schedules, "_jobs", {})


def known(name: str = "job", every_seconds: float = 3600.0) -> Job:
    register_schedule(name, every_seconds, print)
    make_known()
    return schedules._jobs[name]


def claim_due(*, busy: frozenset[str] = frozenset()) -> list[tuple[Job, str]]:
    return look(busy=busy)[0]


def make_due(name: str = "job") -> None:
    Schedule.objects.filter(name=name).update(next_run_at=from_now(-1.0))


def seconds_until_due(name: str = "job") -> float:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("select extract(epoch from next_run_at - clock_timestamp()) from engine_schedule")
        else:
            cursor.execute("select (julianday(next_run_at) - julianday('now')) * 86400 from engine_schedule")
        ((seconds,),) = cursor.fetchall()
    return round(float(seconds), 2)


def test_a_new_job_is_due_after_its_interval_and_then_once():
    known()
    assert 3500 < seconds_until_due() <= 3600
    assert claim_due() == []
    make_due()
    ((job, _),) = claim_due()
    assert job.name == "job"
    assert claim_due() == []


def test_of_workers_that_look_at_the_same_moment_one_gets_the_job():
    known()
    make_due()
    found: list[str] = []
    claims: list[tuple[Job, str]] = []

    def look_between(execute: Callable[..., object], sql: str, *rest: object) -> object:
        """Another worker looks, and claims, just after this one has seen that the job is due."""
        result = execute(sql, *rest)
        if not found and sql.startswith("SELECT"):
            found.append(sql)
            claims.extend(claim_due())
        return result

    with connection.execute_wrapper(look_between):
        claims += claim_due()
    assert len(found) == 1
    ((job, claim),) = claims
    assert finish(job, claim)


def test_after_a_run_the_next_is_an_interval_away_however_many_were_missed():
    known(every_seconds=600.0)
    Schedule.objects.update(next_run_at=from_now(-100_000.0))
    ((job, claim),) = claim_due()
    assert finish(job, claim)
    assert 500 < seconds_until_due() <= 600
    row = Schedule.objects.get()
    assert (row.claimed_by, row.claimed_until, row.failures, row.last_error) == ("", None, 0, "")
    assert row.started_at is not None
    assert row.ended_at is not None


def test_a_failure_is_kept_and_tried_again_sooner():
    known()
    for failures in (1, 2):
        make_due()
        ((job, claim),) = claim_due()
        assert finish(job, claim, error="OSError: full")
        row = Schedule.objects.get()
        assert (row.failures, row.last_error) == (failures, "OSError: full")
        assert RETRY_SECONDS - 10 < seconds_until_due() <= RETRY_SECONDS
    make_due()
    ((job, claim),) = claim_due()
    assert finish(job, claim)
    assert Schedule.objects.get().failures == 0


def test_the_claim_of_a_dead_worker_ends_by_itself_and_is_worth_nothing_then():
    job = known()
    make_due()
    ((_, dead),) = claim_due()
    Schedule.objects.update(claimed_until=from_now(-0.1))
    ((_, living),) = claim_due()
    assert not renew(job, dead)
    assert not finish(job, dead)
    assert renew(job, living)
    assert finish(job, living)


def test_a_renewed_claim_lasts():
    job = known()
    make_due()
    ((_, claim),) = claim_due()
    Schedule.objects.update(claimed_until=from_now(0.0))
    assert renew(job, claim)
    assert claim_due() == []
    assert Schedule.objects.filter(claimed_until__gt=from_now(CLAIM_SECONDS - 10)).exists()


def test_while_nothing_changes_a_frequent_job_runs_once_a_minute():
    known(every_seconds=2.0)
    make_due()
    ((job, claim),) = claim_due()
    assert finish(job, claim, quiet=True)
    assert IDLE_SECONDS - 10 < seconds_until_due() <= IDLE_SECONDS


def test_while_nothing_changes_a_rare_job_keeps_its_interval():
    known(every_seconds=3600.0)
    make_due()
    ((job, claim),) = claim_due()
    assert finish(job, claim, quiet=True)
    assert 3500 < seconds_until_due() <= 3600


def test_a_change_brings_forward_what_was_put_off_but_no_job_that_failed():
    known("often", every_seconds=2.0)
    known("rare", every_seconds=3600.0)
    known("failed", every_seconds=2.0)
    Schedule.objects.filter(name__in=("often", "failed")).update(next_run_at=from_now(IDLE_SECONDS))
    Schedule.objects.filter(name="failed").update(failures=1)
    bring_forward()
    assert list(Schedule.objects.filter(next_run_at__lte=from_now(2.0)).values_list("name", flat=True)) == ["often"]


def test_the_worker_hears_of_a_change():
    ran = threading.Event()
    register_schedule("job", 0.01, ran.set)
    make_known()
    Schedule.objects.update(next_run_at=from_now(IDLE_SECONDS))

    def has_run() -> bool:
        heard(CHANGES)
        return ran.is_set()

    run_until(has_run)


def test_a_shorter_interval_brings_the_next_run_forward_and_a_longer_one_leaves_it():
    known(every_seconds=3600.0)
    schedules._jobs.clear()
    known(every_seconds=60.0)
    assert seconds_until_due() <= 60
    schedules._jobs.clear()
    known(every_seconds=86400.0)
    assert seconds_until_due() <= 60
    assert Schedule.objects.get().every_seconds == 86400.0


def test_jobs_that_this_release_does_not_know_and_those_that_run_here_are_left_alone():
    known("mine")
    Schedule.objects.create(name="of another release", every_seconds=1.0, next_run_at=from_now(-1.0))
    make_due("mine")
    assert claim_due(busy=frozenset({"mine"})) == []
    assert [job.name for job, _ in claim_due()] == ["mine"]


def test_a_look_tells_for_how_long_no_other_job_is_due():
    known("rare")
    known("often", every_seconds=10.0)
    claimed, pause = look()
    assert (claimed, 5 < pause <= 10) == ([], True)
    make_due("often")
    claimed, pause = look()
    assert ([job.name for job, _ in claimed], pause) == (["often"], schedules.LONGEST_LOOK_SECONDS)
    assert 20 < look()[1] <= CLAIM_SECONDS  # as another worker sees it: the claim may end


def test_one_name_is_one_job_with_a_real_interval():
    register_schedule("job", 1.0, print)
    register_schedule("job", 2.0, print)
    with pytest.raises(ValueError, match="two jobs"):
        register_schedule("job", 1.0, len)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="interval"):
        register_schedule("other", 0.0, print)


def run_until(check: Callable[[], bool]) -> None:
    """Run the schedules as a worker does until `check` is true."""

    async def run() -> None:
        upkeep = asyncio.create_task(run_schedules())
        async with asyncio.timeout(30):
            while not await sync_to_async(check)():  # noqa: ASYNC110 - a row is no event
                await asyncio.sleep(POLL_SECONDS)
        upkeep.cancel()

    async_to_sync(run)()


def test_due_jobs_run_in_threads_and_one_that_fails_does_not_hold_up_another(caplog: pytest.LogCaptureFixture):
    ran = threading.Event()

    def fail() -> None:
        raise OSError("no space")

    register_schedule("fails", 3600.0, fail)
    register_schedule("works", 3600.0, ran.set)
    make_known()
    Schedule.objects.update(next_run_at=from_now(-1.0))
    run_until(lambda: Schedule.objects.exclude(ended_at=None).count() == 2)
    assert ran.is_set()
    assert Schedule.objects.get(name="fails").last_error == "OSError: no space"
    assert Schedule.objects.get(name="works").failures == 0
    assert "the job fails failed" in caplog.text


def test_a_connection_is_kept_for_the_next_job_until_one_fails_or_it_breaks():
    met: list[object] = []
    closes = connection.vendor == "postgresql"  # Django keeps a database in memory open, and a file is never lost

    def meet() -> None:
        connection.ensure_connection()
        met.append(connection.connection)

    def lose() -> None:
        meet()
        if closes:
            connection.connection.close()

    def fail() -> None:
        meet()
        raise OSError("no space")

    async def run() -> None:
        thread = schedules._KeptThread()
        for function in (meet, lose, meet, fail, meet):
            with contextlib.suppress(OSError):
                await thread.run(Job("job", 1.0, function))
        thread.end()

    async_to_sync(run)()
    first, lost, third, failed, fifth = met
    assert first is lost
    assert (third is not lost) is closes
    assert third is failed
    assert (fifth is not failed) is closes


def test_the_worker_makes_jobs_known_by_itself():
    register_schedule("job", 3600.0, print)
    run_until(lambda: Schedule.objects.filter(name="job").exists())
    assert claim_due() == []
