"""Kill -9 just before and just after the commit of every status, and where files and processes come to be."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from environments.packages import PackageIndex, wheel
from support.installation import CHAIN, Installation, Submitted, running_installation
from support.model_folders import write_model
from support.postgres import running_postgres
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier, pytest.mark.xdist_group("failpoints")]

SECONDS = 120.0
OPTIONS = {"chaos": True, "retry_base": 0.2}


class Immortal:
    """An installation whose worker is started again whenever it dies; it lives as long as the module's tests."""

    def __init__(self, mop: Installation) -> None:
        self.mop = mop
        self._worker = mop.start_worker()

    def revive(self) -> None:
        """Start the worker again if it died; nothing of the dead one may be left."""
        if (ended := self._worker.poll()) is None:
            return
        assert ended == -signal.SIGKILL, self.mop.output("w1")
        self.mop.kill(self._worker)
        wait_for(lambda: not self.mop.children(), seconds=20, what="all died with the worker", note=self.mop.listing)
        self.mop.assert_no_groups()
        # the next life may meet its failpoint before it is ready; then the next call starts the one after it
        self._worker = self.mop.start_worker(may_die=True)

    @property
    def is_clean(self) -> bool:
        """Whether nothing of a test is left that the next one would meet."""
        return self._worker.poll() is None and not self.mop.armed() and not self.mop.children() and self.mop.answers()

    def see_through(self, revision: Submitted, *, until: Callable[[], bool]) -> None:
        """Revive the worker until every failpoint was met and `until` holds."""

        def done() -> bool:
            self.revive()
            return not self.mop.armed() and until()

        wait_for(
            done,
            seconds=SECONDS,
            what=f"{revision.model} got past every death",
            note=lambda: f"{self.mop.armed()} {self.mop.story(revision)}",
        )

    def see_through_to(self, revision: Submitted, status: str) -> None:
        """Revive the worker until the revision ended in that status."""
        self.see_through(revision, until=lambda: self.mop.status(revision) == status)
        self.mop.assert_idle()


class Immortals:
    """The installation of the module's tests, and another one after a test that left something behind."""

    def __init__(self, index_url: str) -> None:
        self._index_url = index_url
        self._stack = contextlib.ExitStack()
        self._immortal: Immortal | None = None

    def immortal(self) -> Immortal:
        """The one there is."""
        if self._immortal is None:
            mop = self._stack.enter_context(running_installation(package_index=self._index_url, **OPTIONS))
            self._immortal = Immortal(mop)
        return self._immortal

    def tidy(self) -> None:
        """Give the installation up if the test that used it failed half way: the next one starts clean."""
        if self._immortal is None:
            return
        with contextlib.suppress(AssertionError):
            self._immortal.revive()  # the last death of a test may come after what it waits for
        if self._immortal.is_clean:
            return
        self._immortal.mop.disarm()
        self.close()

    def close(self) -> None:
        """End the installation; nothing of it may be left."""
        self._immortal = None
        self._stack.close()


@pytest.fixture(scope="module")
def immortals(module_index: PackageIndex) -> Iterator[Immortals]:
    immortals = Immortals(module_index.url)
    yield immortals
    immortals.close()


@pytest.fixture
def immortal(immortals: Immortals) -> Iterator[Immortal]:
    yield immortals.immortal()
    immortals.tidy()


def around(*statuses: str) -> list[str]:
    """The failpoints on both sides of the commits of these statuses."""
    return [f"{side} {status}" for status in statuses for side in ("before", "after")]


@pytest.mark.parametrize(
    "status",
    CHAIN[1:],
)
def test_around_a_status_of_the_chain(immortal: Immortal, status: str):
    mop = immortal.mop
    mop.arm(*around(status))
    revision = mop.submit(write_model(mop.folders / status))
    immortal.see_through_to(revision, "verified")
    mop.assert_each_status_once(revision)


def test_around_vulnerable(immortal: Immortal):
    mop = immortal.mop
    mop.arm(*around("vulnerable"))
    folder = write_model(mop.folders / "hostile")
    (folder / "model" / "weights.bin").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    revision = mop.submit(folder)
    immortal.see_through_to(revision, "vulnerable")
    mop.assert_each_status_once(revision, ending=(*CHAIN[:3], "vulnerable"))
    written = mop.rows(
        "select count(*) from audit_auditevent where action = 'revision.scanned' and object_id = ?", revision.id
    )
    assert written == [(1,)]


def test_around_verify_failed(immortal: Immortal):
    mop = immortal.mop
    mop.arm(*around("verifyFailed"))
    revision = mop.submit(write_model(mop.folders / "fails", init="raise KeyError('boom')"))
    immortal.see_through_to(revision, "verifyFailed")
    assert mop.show(revision)["error"]["name"] == "UserScriptException"
    mop.assert_each_status_once(revision, ending=(*CHAIN[:7], "verifyFailed"))


def test_around_to_be_retried_and_the_next_attempt(immortal: Immortal, index: PackageIndex):
    mop = immortal.mop
    index.add(wheel("tiny-retried", "1.0"))
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    mop.arm(*around("toBeRetried"))
    revision = mop.submit(write_model(mop.folders / "retried", requirements="tiny-retried==1.0\n"))
    mop.arm(*around("created"))
    immortal.see_through(revision, until=lambda: (2, "created") in mop.events(revision))
    index.status = HTTPStatus.OK
    immortal.see_through_to(revision, "verified")
    mop.assert_each_status_once(revision)


def test_around_created_the_portal_dies(immortal: Immortal):
    mop = immortal.mop
    folder = write_model(mop.folders / "created")
    mop.arm("before created")
    with pytest.raises(httpx.TransportError):
        mop.submit(folder, name="created")
    assert _answers_again(mop).get("/models/created").status_code == HTTPStatus.NOT_FOUND
    mop.arm("after created")
    with pytest.raises(httpx.TransportError):
        mop.submit(folder, name="created")
    shown = _answers_again(mop).get("/models/created/revisions").json()["items"][0]
    revision = Submitted(shown["id"], "created", shown["version"])
    immortal.see_through_to(revision, "verified")
    mop.assert_each_status_once(revision)


def test_around_cancelled_the_portal_dies(immortal: Immortal, index: PackageIndex):
    mop = immortal.mop
    index.add(wheel("tiny-cancelled", "1.0"))
    index.gate.clear()
    revision = mop.submit(write_model(mop.folders / "cancelled", requirements="tiny-cancelled==1.0\n"))
    assert index.waiting.wait(60), mop.story(revision)
    _die(mop, "before cancelled", f"{revision.path}/cancel")
    assert mop.show(revision)["status"] == "environmentCreating"
    _die(mop, "after cancelled", f"{revision.path}/cancel")
    assert mop.show(revision)["status"] == "cancelled"
    mop.assert_idle()  # the engine never heard of it
    index.gate.set()
    _die(mop, "after created", f"{revision.path}/retry")
    immortal.see_through_to(revision, "verified")
    mop.assert_each_status_once(revision)
    assert mop.events(revision)[:4] == [(1, status) for status in (*CHAIN[:3], "cancelled")]


def test_where_folders_and_processes_come_to_be(immortal: Immortal, index: PackageIndex):
    mop = immortal.mop
    index.add(wheel("tiny-places", "1.0"))
    places = ("model folder rename", "environment rename")
    mop.arm(*around(*places), "after front start")
    revision = mop.submit(write_model(mop.folders / "places", requirements="tiny-places==1.0\n"))
    immortal.see_through_to(revision, "verified")
    mop.assert_each_status_once(revision)
    assert not [*(mop.root / "home").glob("models/.*.partial"), *(mop.root / "home").glob("environments/builds/*")]


def test_a_killed_reader_of_the_folder_is_tried_again(immortal: Immortal):
    mop = immortal.mop
    mop.arm(*around("snapshot file"))
    revision = mop.submit(write_model(mop.folders / "reader"))
    immortal.see_through_to(revision, "verified")
    mop.assert_each_status_once(revision)
    assert [status for _, status in mop.events(revision)].count("toBeRetried") == 2


def test_failpoints_are_refused_outside_tests_of_crashes(tmp_path: Path):
    installation = {"MOP_HOME": str(tmp_path), "MOP_FAILPOINTS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "import mop.conf.settings"],
        env=os.environ | installation,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "MOP_CHAOS=true" in done.stderr


@pytest.mark.postgres
def test_a_selection_on_postgresql(module_index: PackageIndex):
    with (
        running_postgres() as postgres,
        running_installation(package_index=module_index.url, database_url=postgres.url(), **OPTIONS) as mop,
    ):
        immortal = Immortal(mop)
        mop.arm("before dataDownloaded", "after environmentCreated", "before deploymentCreated", "after verified")
        revision = mop.submit(write_model(mop.folders / "selection"))
        immortal.see_through_to(revision, "verified")
        mop.assert_each_status_once(revision)


def _die(mop: Installation, failpoint: str, path: str) -> None:
    """Make the call in which the portal dies; it is started again."""
    mop.arm(failpoint)
    with pytest.raises(httpx.TransportError):
        mop.call("POST", path)
    _answers_again(mop)


def _answers_again(mop: Installation) -> httpx.Client:
    api = mop.see_portal_again()
    assert not mop.armed()
    return api
