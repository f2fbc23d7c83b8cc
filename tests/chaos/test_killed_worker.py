"""The worker is killed at its worst moments; after a restart the revision is verified as if nothing had happened."""

from __future__ import annotations

import itertools
import signal

import pytest

from environments.packages import PackageIndex, wheel
from support.held_storage import HeldStorage
from support.installation import Installation, Submitted
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier]

RESUME_SECONDS = 30.0
_numbers = itertools.count(1)
# both are the same event to a worker; two of the four moments show it
ENDINGS = pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])


def new_package(index: PackageIndex) -> str:
    """A package that no environment has yet: whoever requires it builds."""
    name = f"tiny{next(_numbers)}"
    index.add(wheel(name, "1.0"))
    return f"{name}==1.0\n"


def resume(mop: Installation, revision: Submitted) -> None:
    """Start the worker again and see the revision through."""
    wait_for(lambda: not mop.children(), seconds=10, what="everything died with the worker", note=mop.listing)
    mop.assert_no_groups()
    mop.start_worker()
    mop.wait(revision, "verified", seconds=RESUME_SECONDS)
    mop.assert_each_status_once(revision)


def test_while_the_folder_is_read(mop: Installation, storage: HeldStorage):
    url = storage.add(write_model(mop.folders / "fetch"))
    worker = mop.start_worker()
    storage.held = True
    revision = mop.submit(url)
    assert storage.waiting.wait(30), mop.story(revision)
    assert mop.processes("mop.storage.snapshot_job")
    mop.kill(worker)
    storage.held = False
    storage.waiting.clear()
    resume(mop, revision)


@ENDINGS
def test_in_the_middle_of_the_environment_build(mop: Installation, index: PackageIndex, number: signal.Signals):
    folder = write_model(mop.folders / f"build-{number.name}", requirements=new_package(index))
    worker = mop.start_worker()
    index.gate.clear()
    revision = mop.submit(folder)
    mop.wait(revision, "environmentCreating")
    assert index.waiting.wait(30), mop.story(revision)
    assert mop.processes("/uv pip install"), mop.story(revision)
    mop.kill(worker, number)
    index.gate.set()
    resume(mop, revision)


def test_while_two_onboardings_share_the_environment_that_is_built(mop: Installation, index: PackageIndex):
    package = new_package(index)
    folders = [write_model(mop.folders / f"share-{number}", requirements=package) for number in range(2)]
    worker = mop.start_worker()
    index.gate.clear()
    both = [mop.submit(folder) for folder in folders]
    assert index.waiting.wait(30), mop.story(both[0])
    wait_for(
        lambda: any("waits for another build" in line for revision in both for line in mop.log(revision, "build")),
        seconds=30,
        what="the second waits for the first's build",
        note=lambda: mop.story(both[0]) + mop.story(both[1]),
    )
    mop.kill(worker)
    wait_for(lambda: not mop.children(), seconds=10, what="everything died with the worker", note=mop.listing)
    index.gate.set()
    mop.start_worker()
    for revision in both:
        mop.wait(revision, "verified")
        mop.assert_each_status_once(revision)
    built = [line for revision in both for line in mop.log(revision, "build") if line.startswith("environment ")]
    assert sum(" is ready, " in line for line in built) == 1, built


@ENDINGS
def test_while_the_model_starts(mop: Installation, number: signal.Signals):
    folder = write_model(mop.folders / f"deployment-{number.name}", init="time.sleep(4)")
    worker = mop.start_worker()
    revision = mop.submit(folder)
    mop.wait(revision, "deploymentCreating")
    wait_for(lambda: mop.processes("model_process.py"), seconds=20, what="the model boots", note=mop.listing)
    (service,) = mop.leases()
    mop.kill(worker, number)
    # who is killed clears nothing away; the next worker does
    assert mop.leases() == ([service] if number is signal.SIGKILL else [])
    resume(mop, revision)


def test_while_the_contract_is_proved(mop: Installation):
    folder = write_model(mop.folders / "contract", inference="time.sleep(0.4)")
    worker = mop.start_worker()
    revision = mop.submit(folder)
    mop.wait(revision, "deploymentCreated")
    wait_for(
        lambda: any("sending Text input" in line for line in mop.log(revision, "deployment")),
        seconds=10,
        what="the contract is being proved",
    )
    mop.kill(worker)
    resume(mop, revision)
