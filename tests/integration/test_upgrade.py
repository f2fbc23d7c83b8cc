"""An upgrade: the tables of an early release are brought to this one, and what ran goes on."""

from __future__ import annotations

import signal

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import running_installation
from support.model_folders import write_model

EARLIEST = {"registry": "0001_initial", "onboarding": "0002_initial", "accounts": "0001_initial"}
"""Their first tables. What other areas have since goes too, as far as it stands on these."""


@pytest.mark.second_tier
@pytest.mark.sandbox
def test_work_of_an_early_release_goes_on_after_its_tables_are_migrated(session_index: PackageIndex):
    with running_installation(package_index=session_index.url, chaos=True) as mop:
        worker = mop.start_worker()
        done = mop.submit(write_model(mop.folders / "done"))
        mop.wait(done, "verified")
        session_index.add(wheel("tiny-upgraded", "1.0"))
        session_index.waiting.clear()
        session_index.gate.clear()
        taken = mop.submit(write_model(mop.folders / "taken", requirements="tiny-upgraded==1.0\n"))
        assert session_index.waiting.wait(30), mop.story(taken)
        mop.kill(worker, signal.SIGKILL)
        waiting = mop.submit(write_model(mop.folders / "waiting"))
        mop.stop_portal()
        session_index.gate.set()
        for app, name in EARLIEST.items():
            ended = mop.run("-m", "django", "migrate", app, name)
            assert ended.returncode == 0, ended.stderr
        upgraded = mop.run("-c", UPGRADE)
        assert upgraded.returncode == 0, upgraded.stderr
        mop.start_portal()
        mop.start_worker()
        for revision in (taken, waiting):
            mop.wait(revision, "verified")
            mop.assert_each_status_once(revision)
        assert mop.show(done)["status"] == "verified"
        assert {one["name"] for one in mop.call("GET", "/models")["items"]} == {
            revision.model for revision in (done, taken, waiting)
        }


UPGRADE = "import django; django.setup(); from mop.worker.setup import prepare_databases; prepare_databases()"
"""What `mop up` does first."""
