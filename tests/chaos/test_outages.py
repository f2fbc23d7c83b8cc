"""The database does not answer for ten seconds in the middle of onboardings: they end as if it always had."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import Installation, Submitted, running_installation
from support.model_folders import write_model
from support.postgres import running_postgres
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier]
OUTAGE_SECONDS = 10.0
ENDS_SECONDS = 180.0


class Moments:
    """Three onboardings of one worker: one builds, one loads its model, one proves its contract."""

    def __init__(self, mop: Installation, index: PackageIndex) -> None:
        self._mop, self._index = mop, index
        loads = mop.submit(write_model(mop.folders / "loads", init="time.sleep(20)"))
        proves = mop.submit(write_model(mop.folders / "proves", inference="time.sleep(1.5)"))
        mop.wait(loads, "deploymentCreating")
        mop.wait(proves, "deploymentCreated")
        index.add(wheel("tiny-outage", "1.0"))
        index.gate.clear()
        index.waiting.clear()
        builds = mop.submit(write_model(mop.folders / "builds", requirements="tiny-outage==1.0\n"))
        assert index.waiting.wait(60), mop.story(builds)
        self.revisions: tuple[Submitted, ...] = (loads, proves, builds)

    def let_go(self) -> None:
        """What was held comes, in the middle of the outage."""
        self._index.gate.set()

    def assert_end_well(self, *, revive: Callable[[], object] = str) -> None:
        """All three are verified, and entered each status once in each attempt."""
        mop = self._mop
        for revision in self.revisions:

            def verified(revision: Submitted = revision) -> bool:
                revive()
                shown = mop.show(revision)
                assert shown["status"] != "verifyFailed", mop.story(revision)
                return bool(shown["status"] == "verified")

            wait_for(
                verified,
                seconds=ENDS_SECONDS,
                what=f"{revision.model} is verified",
                note=lambda revision=revision: mop.story(revision),
            )
            mop.assert_each_status_once(revision)
        mop.assert_idle()


@pytest.mark.postgres
def test_postgresql_stops_for_ten_seconds(module_index: PackageIndex, index: PackageIndex):
    with (
        running_postgres() as postgres,
        running_installation(
            package_index=module_index.url,
            database_url=postgres.url(),
            worker_concurrency=3,
            retry_base=0.2,
        ) as mop,
    ):
        workers = [mop.start_worker()]

        def revive() -> None:
            """A worker that could not write its heartbeat stops itself; `mop up` starts it again."""
            if workers[-1].poll() is not None:
                mop.kill(workers[-1])
                workers.append(mop.start_worker())

        moments = Moments(mop, index)
        postgres.stop()
        _pass(OUTAGE_SECONDS / 2)
        moments.let_go()
        _pass(OUTAGE_SECONDS / 2)
        postgres.start()
        wait_for(mop.answers, seconds=60, what="the portal answers again", note=lambda: mop.output("portal"))
        moments.assert_end_well(revive=revive)


@pytest.mark.slow
def test_sqlite_is_locked_for_ten_seconds(module_index: PackageIndex, index: PackageIndex):
    with running_installation(package_index=module_index.url, worker_concurrency=3, retry_base=0.2) as mop:
        mop.start_worker()
        moments = Moments(mop, index)
        with _locked(mop.root / "home" / "mop.db"), _locked(mop.root / "home" / "engine.db"):
            _pass(OUTAGE_SECONDS / 2)
            moments.let_go()
            _pass(OUTAGE_SECONDS / 2)
        moments.assert_end_well()
        assert all(mop.show(revision)["attempt"] == 1 for revision in moments.revisions)


@contextlib.contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Hold the one write lock of a SQLite database."""
    with contextlib.closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        yield
        connection.execute("rollback")


def _pass(seconds: float) -> None:
    """The outage's own time: nothing in it is waited for."""
    threading.Event().wait(seconds)
