"""A revision from the API to its end, over real processes on SQLite."""

from __future__ import annotations

import re

import pytest

from environments.packages import PackageIndex
from support.azurite import Azurite
from support.installation import CHAIN, Installation, running_installation
from support.model_folders import PYTHON, write_model

pytestmark = pytest.mark.sandbox


def test_a_folder_becomes_verified_with_everything_that_was_found(mop: Installation):
    mop.start_worker(executed=True)
    revision = mop.submit(write_model(mop.folders / "good"), sample_post_data={"text": "what a darn day"})
    shown = mop.wait(revision, "verified")
    mop.assert_each_status_once(revision)
    assert (shown["error"], shown["warnings"], shown["attempt"]) == (None, [], 1)
    assert shown["python_version"].startswith(f"{PYTHON}.")
    assert shown["pip_version"] == "24.0"
    assert shown["artifact_files"] == 4
    assert len(shown["artifact_digest"]) == 64
    assert shown["granted"]["level"] in {1, 2}
    assert 0 < shown["granted"]["cpus"] <= 4
    # another test of this file may have built the same environment before
    assert any(re.match(r"environment \w{12} is (ready|there already), ", line) for line in mop.log(revision, "build"))
    deployment = mop.log(revision, "deployment")
    assert "sending the sample post data in model format" in deployment
    assert deployment[-1] == "the model answered by contract"
    durations = [event["seconds"] for event in mop.call("GET", f"{revision.path}/events")["items"]]
    assert all(seconds >= 0 for seconds in durations[:-1])
    assert durations[-1] is None


@pytest.mark.azurite
def test_a_folder_in_blob_storage_becomes_verified(azurite: Azurite, session_index: PackageIndex):
    account = (
        f'[{{"name": "{azurite.account}", "endpoint": "{azurite.endpoint}", "account_key": "{azurite.account_key}"}}]'
    )
    with running_installation(package_index=session_index.url, azure_accounts=account) as mop:
        mop.start_worker()
        folder = write_model(mop.folders / "in-azure")
        revision = mop.submit(azurite.upload_folder("models", folder, prefix="in-azure"))
        shown = mop.wait(revision, "verified")
        mop.assert_each_status_once(revision)
        assert shown["artifact_files"] == 4
        assert azurite.account_key not in mop.story(revision)


def test_a_model_that_raises_fails_with_its_place_and_hint(mop: Installation):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "raises", inference="raise KeyError('boom')"))
    shown = mop.wait(revision, "verifyFailed")
    assert shown["error"]["name"] == "UserScriptException"
    assert "boom" in shown["error"]["message"]
    assert "inference.py" in (shown["error"]["place"] or shown["error"]["message"])
    assert shown["error"]["hint"]
    assert [status for _, status in mop.events(revision)] == [*CHAIN[:-1], "verifyFailed"]


def test_a_wrong_requirement_fails_with_its_line(mop: Installation):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "requirement", requirements="there-is-no-such-package==1.0\n"))
    error = mop.wait(revision, "verifyFailed")["error"]
    assert (error["name"], error["place"]) == ("RequirementsFileError", "src/requirements.txt:2")
    assert [status for _, status in mop.events(revision)] == [*CHAIN[:3], "verifyFailed"]


def test_a_retry_uses_the_snapshot_and_not_the_corrected_folder(mop: Installation):
    mop.start_worker()
    folder = mop.folders / "corrected"
    revision = mop.submit(write_model(folder, init="raise OSError('broken')"))
    digest = mop.wait(revision, "verifyFailed")["artifact_digest"]
    write_model(folder)
    mop.call("POST", f"{revision.path}/retry")
    mop.wait(revision, "created", "dataDownloaded", "environmentCreating", "deploymentCreating", "verifyFailed")
    again = mop.wait(revision, "verifyFailed") if mop.events(revision)[-1][0] == 2 else {}
    assert (again["attempt"], again["artifact_digest"], again["error"]["name"]) == (2, digest, "UserScriptException")
    assert any("uses the snapshot" in line for line in mop.log(revision, "build"))
    assert mop.events(revision).count((2, "dataDownloaded")) == 1
