"""Causes outside the model: tried again with growing pauses, and in the end named."""

from __future__ import annotations

import itertools
from http import HTTPStatus
from typing import Any

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import Installation, Submitted, free_port
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
_numbers = itertools.count(1)


def new_package(index: PackageIndex) -> str:
    """A requirement that no environment has yet."""
    name = f"tiny{next(_numbers)}"
    index.add(wheel(name, "1.0"))
    return f"{name}==1.0\n"


def details(mop: Installation, revision: Submitted) -> list[dict[str, Any]]:
    """Every event, oldest first."""
    items: list[dict[str, Any]] = mop.call("GET", f"{revision.path}/events")["items"]
    return items


def test_an_index_that_does_not_answer_is_waited_for(mop: Installation, index: PackageIndex):
    mop.start_worker(retry_base=0.2)
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    revision = mop.submit(write_model(mop.folders / "waits", requirements=new_package(index)))
    assert mop.wait(revision, "toBeRetried")["error"]["name"] == "PackageIndexUnavailableError"
    index.status = HTTPStatus.OK
    assert mop.wait(revision, "verified")["error"] is None
    mop.assert_each_status_once(revision)
    waited = next(event for event in details(mop, revision) if event["status"] == "toBeRetried")
    assert waited["seconds"] >= 0.2
    assert "The package index did not answer" in waited["detail"]


@pytest.mark.second_tier
def test_after_the_last_try_the_outside_cause_is_the_reason(mop: Installation, index: PackageIndex):
    mop.start_worker(package_index=f"http://127.0.0.1:{free_port()}/simple", retry_base=0.05, retry_max=1)
    revision = mop.submit(write_model(mop.folders / "unreachable", requirements=new_package(index)))
    shown = mop.wait(revision, "verifyFailed")
    assert shown["error"]["name"] == "PackageIndexUnavailableError"
    assert shown["attempt"] == 2
    statuses = [status for _, status in mop.events(revision)]
    assert (statuses.count("toBeRetried"), statuses[-1]) == (1, "verifyFailed")


@pytest.mark.second_tier
def test_faults_of_the_platform_do_not_count_and_are_told_to_the_operator(mop: Installation, index: PackageIndex):
    mop.start_worker(retry_base=0.05, retry_max=1)
    index.status = HTTPStatus.UNAUTHORIZED
    revision = mop.submit(write_model(mop.folders / "platform", requirements=new_package(index)))
    wait_for(
        lambda: (3, "toBeRetried") in mop.events(revision),
        seconds=60,
        what="three tries met the platform's fault",
        note=lambda: mop.story(revision),
    )
    # a cause that counts still has its one try again before it
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    wait_for(
        lambda: any("did not answer" in event["detail"] for event in details(mop, revision)),
        seconds=60,
        what="a cause outside the model was met",
        note=lambda: mop.story(revision),
    )
    index.status = HTTPStatus.OK
    mop.wait(revision, "verified")
    assert "the platform is at fault" in mop.output("w1")


@pytest.mark.second_tier
def test_an_owner_need_not_wait_for_the_next_try(mop: Installation, index: PackageIndex):
    mop.start_worker(retry_base=3600)
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    revision = mop.submit(write_model(mop.folders / "impatient", requirements=new_package(index)))
    shown = mop.wait(revision, "toBeRetried")
    assert shown["error"]["name"] == "PackageIndexUnavailableError"
    assert shown["retry_at"] is not None
    index.status = HTTPStatus.OK
    mop.call("POST", f"{revision.path}/retry")
    assert mop.wait(revision, "verified")["attempt"] == 2
    mop.assert_each_status_once(revision)


@pytest.mark.second_tier
def test_a_wait_survives_the_worker(mop: Installation, index: PackageIndex):
    worker = mop.start_worker(retry_base=4)
    index.status = HTTPStatus.SERVICE_UNAVAILABLE
    revision = mop.submit(write_model(mop.folders / "survives", requirements=new_package(index)))
    mop.wait(revision, "toBeRetried")
    mop.kill(worker)
    index.status = HTTPStatus.OK
    mop.start_worker()
    assert mop.wait(revision, "verified")["attempt"] == 2
    mop.assert_each_status_once(revision)
