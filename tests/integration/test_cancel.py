"""Cancel and delete end what runs, and the worker goes on with other work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from environments.packages import PackageIndex, wheel
from support.held_storage import HeldStorage
from support.installation import CHAIN, Installation, Submitted, running_installation
from support.model_folders import write_model
from support.postgres import running_postgres
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
# its engine would notice after an hour
DEAF = "support.deaf_worker"
# in the commands of the sandbox's supervisors: one for each job
BUILD, MODEL = '"label":"build"', '"label":"model"'


@dataclass(frozen=True)
class Moment:
    """Where a step is met: how a model is made that stays there, the status it is in, and what runs then."""

    make: Callable[[Installation, PackageIndex, HeldStorage, str], Path | str]
    status: str
    running: str


def _fetch(mop: Installation, _index: PackageIndex, storage: HeldStorage, name: str) -> str:
    storage.held = True
    return storage.add(write_model(mop.folders / name))


def _build(mop: Installation, index: PackageIndex, _storage: HeldStorage, name: str) -> Path:
    index.gate.clear()
    index.add(wheel(name, "1.0"))
    return write_model(mop.folders / name, requirements=f"{name}==1.0\n")


def _init(mop: Installation, _index: PackageIndex, _storage: HeldStorage, name: str) -> Path:
    return write_model(mop.folders / name, init="time.sleep(600)")


def _request(mop: Installation, _index: PackageIndex, _storage: HeldStorage, name: str) -> Path:
    return write_model(mop.folders / name, inference="time.sleep(50)")


MOMENTS = {
    "fetch": Moment(_fetch, "created", "mop.storage.snapshot_job"),
    "build": Moment(_build, "environmentCreating", BUILD),
    "init": Moment(_init, "deploymentCreating", MODEL),
    "request": Moment(_request, "deploymentCreated", MODEL),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_cancel_and_delete_end_the_running_step(
    mop: Installation, index: PackageIndex, storage: HeldStorage, name: str
):
    moment = MOMENTS[name]
    mop.start_worker(module=DEAF)
    cancelled, deleted = _submit_two(mop, moment, lambda part: moment.make(mop, index, storage, f"{part}-{name}"))
    mop.call("POST", f"{cancelled.path}/cancel")
    mop.call("DELETE", f"/models/{deleted.model}", status=204)
    mop.assert_idle()
    assert mop.show(cancelled)["status"] == "cancelled"
    entered = CHAIN[: CHAIN.index(moment.status) + 1]
    assert mop.events(cancelled) == [(1, status) for status in (*entered, "cancelled")]
    mop.call("GET", deleted.path, status=404)
    lines = "select count(*) from onboarding_logline where revision_id = ?"
    assert mop.rows(lines, deleted.id.replace("-", "")) == [(0,)]
    audited = "select count(*) from audit_auditevent where action = 'revision.deleted' and object_id = ?"
    assert mop.rows(audited, deleted.id) == [(1,)]
    # the worker's places are free again
    index.gate.set()
    storage.held = False
    for other in [mop.submit(write_model(mop.folders / f"after-{name}-{number}")) for number in range(2)]:
        mop.wait(other, "verified")


@pytest.mark.postgres
@pytest.mark.slow
def test_cancel_and_delete_on_postgresql(session_index: PackageIndex):
    moment = MOMENTS["init"]
    with (
        running_postgres() as postgres,
        running_installation(package_index=session_index.url, database_url=postgres.url()) as mop,
    ):
        mop.start_worker(module=DEAF)
        cancelled, deleted = _submit_two(
            mop, moment, lambda part: write_model(mop.folders / part, init="time.sleep(600)")
        )
        mop.call("POST", f"{cancelled.path}/cancel")
        mop.call("DELETE", f"/models/{deleted.model}", status=204)
        mop.assert_idle()
        assert mop.show(cancelled)["status"] == "cancelled"


def test_a_retry_after_a_cancel_uses_the_snapshot(mop: Installation, index: PackageIndex, storage: HeldStorage):
    mop.start_worker()
    revision = mop.submit(MOMENTS["build"].make(mop, index, storage, "again"))
    assert index.waiting.wait(30), mop.story(revision)
    assert mop.call("POST", f"{revision.path}/cancel")["status"] == "cancelled"
    mop.assert_idle()
    index.gate.set()
    mop.call("POST", f"{revision.path}/retry")
    mop.wait(revision, "verified")
    assert any("uses the snapshot" in line for line in mop.log(revision, "build"))
    mop.assert_each_status_once(revision)


def test_what_waits_in_the_queue_is_cancelled_at_once(mop: Installation):
    revision = mop.submit(write_model(mop.folders / "cancel-queued"))
    assert mop.call("POST", f"{revision.path}/cancel")["status"] == "cancelled"
    mop.start_worker()
    after = mop.submit(write_model(mop.folders / "after-queued"))
    mop.wait(after, "verified")
    assert [status for _, status in mop.events(revision)] == ["created", "cancelled"]


def test_a_cancel_writes_no_traceback(mop: Installation, index: PackageIndex, storage: HeldStorage):
    mop.start_worker()
    revision = mop.submit(MOMENTS["init"].make(mop, index, storage, "quiet"))
    mop.wait(revision, "deploymentCreating")
    wait_for(lambda: mop.processes(MODEL), seconds=60, what="its model starts", note=mop.listing)
    assert mop.call("POST", f"{revision.path}/cancel")["status"] == "cancelled"
    mop.assert_idle()
    mop.wait(mop.submit(write_model(mop.folders / "after-quiet")), "verified")
    assert "Traceback" not in mop.output("w1")


def _submit_two(mop: Installation, moment: Moment, make: Callable[[str], Path | str]) -> tuple[Submitted, Submitted]:
    """Two revisions whose steps run now."""
    both = mop.submit(make("cancelled")), mop.submit(make("deleted"))
    for revision in both:
        mop.wait(revision, moment.status)
    wait_for(
        lambda: len(mop.processes(moment.running)) == len(both),
        seconds=60,
        what=f"two of {moment.running} run",
        note=lambda: mop.listing() + "".join(mop.story(revision) for revision in both),
    )
    return both
