"""Parts of a running service, and the whole installation, are killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import READY_SECONDS, Installation, Submitted, running_installation
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier]


def prove_slowly(mop: Installation, name: str) -> Submitted:
    """A revision whose contract is being proved, for some seconds to come."""
    revision = mop.submit(write_model(mop.folders / name, inference="time.sleep(0.3)"))
    mop.wait(revision, "deploymentCreated")
    return revision


def kill(mop: Installation, word: str) -> None:
    """Kill -9 the innermost process whose command holds `word`."""
    os.kill(max(process.pid for process in mop.processes(word)), signal.SIGKILL)


def test_a_killed_front_is_a_lost_host_and_the_revision_is_tried_again(mop: Installation):
    mop.start_worker(retry_base=0.2)
    revision = prove_slowly(mop, "front")
    kill(mop, "mop.serving.front")
    mop.wait(revision, "toBeRetried", "created", "dataDownloaded", "environmentCreating", "deploymentCreating")
    mop.wait(revision, "verified")
    mop.assert_each_status_once(revision)
    assert mop.events(revision)[8] == (1, "toBeRetried")


def test_a_killed_model_process_is_a_crash_and_a_retry_is_verified(mop: Installation):
    mop.start_worker()
    revision = prove_slowly(mop, "model")
    kill(mop, "model_process.py")
    error = mop.wait(revision, "verifyFailed")["error"]
    assert error["name"] == "DeploymentCrashedError"
    mop.assert_idle()
    mop.call("POST", f"{revision.path}/retry")
    mop.wait(revision, "verified")
    mop.assert_each_status_once(revision)


def test_a_model_process_that_is_killed_in_init_fails_the_revision(mop: Installation):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "init", init="print('in init', flush=True); time.sleep(600)"))
    wait_for(
        lambda: any("in init" in line for line in mop.log(revision, "deployment")),
        seconds=60,
        what="the model is in its init",
        note=lambda: mop.story(revision),
    )
    kill(mop, "model_process.py")
    error = mop.wait(revision, "verifyFailed")["error"]
    assert error["name"] == "DeploymentCrashedError"
    assert "during init" in error["message"]
    mop.assert_idle()


def test_killed_mop_up_takes_everything_along_and_goes_on_at_the_next_start(index: PackageIndex):
    index.add(wheel("tiny-up", "1.0"))
    with running_installation(portal=False, package_index=index.url) as mop:
        command = [str(Path(sys.executable).with_name("mop")), "up", "--port", str(mop.port)]

        def start() -> None:
            up.append(mop.start("up", command))
            wait_for(
                lambda: f"MOP is at http://127.0.0.1:{mop.port}" in mop.output("up"),
                seconds=READY_SECONDS,
                what="mop up is ready",
                note=lambda: mop.output("up"),
            )

        up: list[object] = []
        start()
        index.gate.clear()
        revision = mop.submit(write_model(mop.folders / "up", requirements="tiny-up==1.0\n"))
        assert index.waiting.wait(30), mop.story(revision)
        mop.kill(up.pop())
        mop.assert_nothing_left()
        (mop.root / "up.log").unlink()
        index.gate.set()
        start()
        mop.wait(revision, "verified")
        mop.assert_each_status_once(revision)
        mop.kill(up.pop(), signal.SIGTERM)
        mop.assert_nothing_left()
        assert mop.leases() == []
