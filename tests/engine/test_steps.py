"""Steps of durable work: what becomes an outcome, what is logged, and what is written at the end."""

from __future__ import annotations

import asyncio
import logging

import pytest
from asgiref.sync import async_to_sync

from mop.engine import fence
from mop.engine.clock import DatabaseClock
from mop.engine.fence import WorkerLostError, stand_behind_fence
from mop.engine.models import Worker
from mop.engine.steps import STALE, Outcome, concluded, error_of, guarded
from mop.engine.watch import Run, Watch
from mop.errors import DiskFullError, InternalError, MopError, StaleAttemptError, UserScriptException

RUN = Run("7", 2)


@pytest.fixture
def lost_worker(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process writes as a worker that is lost already."""
    monkeypatch.setattr(fence, "_executor_id", "")
    monkeypatch.setattr(fence, "_on_lost", None)
    Worker.objects.create(executor_id="worker:w1:1", name="w1", lock="", process="", lost_at=DatabaseClock())
    stand_behind_fence("worker:w1:1", lambda _reason: None)


async def outcome_of(result: object) -> Outcome:
    """The outcome of work that gives this, or raises it."""

    async def work() -> object:
        if isinstance(result, Exception):
            raise result
        return result

    return await guarded(RUN, work, watch=Watch("parcel", set))


async def test_done_with_and_without_a_result():
    assert await outcome_of(None) is None
    assert await outcome_of("plateau") == {"result": "plateau"}


async def test_an_expected_failure_is_the_outcome():
    error = UserScriptException("boom", place="src/inference.py:3")
    outcome = await outcome_of(error)
    assert outcome == {"error": error.to_dict()}
    found = error_of(outcome)
    assert (type(found), str(found)) == (UserScriptException, "boom")


async def test_what_nobody_wants_any_more_is_stale():
    assert await outcome_of(StaleAttemptError("it was deleted")) == {"stale": "it was deleted"}

    async def work() -> None:
        await asyncio.Event().wait()

    watch = Watch("parcel", lambda _runs: set(), every_seconds=0.0)
    assert await guarded(RUN, work, watch=watch) == {"stale": "parcel 7, attempt 2 is over"}


async def test_a_fault_of_the_platform_is_logged_for_the_operator(caplog: pytest.LogCaptureFixture):
    await outcome_of(DiskFullError("no room"))
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.getMessage().startswith("the platform is at fault for parcel 7, attempt 2: no room")
    assert logged.exc_info is None


async def test_what_nobody_expected_is_an_internal_error_with_its_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
):
    found = error_of(await outcome_of(ZeroDivisionError("division by zero")))
    assert (type(found), str(found)) == (InternalError, "ZeroDivisionError: division by zero")
    assert "parcel 7, attempt 2 failed" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "result", ["plateau", UserScriptException("boom"), ZeroDivisionError(), StaleAttemptError("gone")]
)
def test_nothing_is_an_outcome_that_comes_from_a_lost_worker(lost_worker: None, result: object):
    with pytest.raises(WorkerLostError):
        async_to_sync(outcome_of)(result)


async def test_a_worker_that_is_lost_within_the_work_gives_no_outcome():
    with pytest.raises(WorkerLostError):
        await outcome_of(WorkerLostError("lost"))


class Written:
    """Writes ends as an area does; refuses what is stale."""

    def __init__(self, *, is_stale: bool = False) -> None:
        self.is_stale = is_stale
        self.calls: list[object] = []

    def failed(self, error: MopError) -> str:
        if self.is_stale:
            raise StaleAttemptError("cancelled meanwhile")
        self.calls.append(error.name)
        return "failed"

    def done(self, result: str) -> str:
        self.calls.append(result)
        return "finished"


async def test_the_end_is_written_and_named():
    written = Written()
    error = await outcome_of(UserScriptException("boom"))
    assert await concluded(error, failed=written.failed, done=written.done) == "failed"
    assert await concluded({"result": "plateau"}, failed=written.failed, done=written.done) == "finished"
    assert written.calls == ["UserScriptException", "plateau"]


async def test_what_is_stale_is_not_concluded():
    written = Written()
    assert await concluded({"stale": "gone"}, failed=written.failed, done=written.done) == STALE
    assert written.calls == []
    error = await outcome_of(UserScriptException("boom"))
    assert await concluded(error, failed=Written(is_stale=True).failed) == STALE
