"""Waiting for a host: places, turns, lost enqueues, names of workers."""

from __future__ import annotations

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import Installation, running_installation
from support.model_folders import write_broken, write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox


@pytest.mark.dialect
def test_places_are_shown_and_teams_take_turns(mop: Installation, index: PackageIndex):
    mop.start_worker(worker_concurrency=1)
    index.add(wheel("tiny-turn", "1.0"))
    index.gate.clear()
    first = mop.submit(write_model(mop.folders / "first", requirements="tiny-turn==1.0\n"))
    assert index.waiting.wait(30), mop.story(first)
    teams = {"second": "the team", "third": "the team", "fourth": "the team", "guest": "another team"}
    waiting = {name: mop.submit(write_broken(mop.folders / name), name=name, team=team) for name, team in teams.items()}
    places = {name: mop.show(revision)["queue"] for name, revision in waiting.items()}
    assert {name: (place["place"], place["waiting"]) for name, place in places.items()} == {
        "second": (1, 4),
        "guest": (2, 4),
        "third": (3, 4),
        "fourth": (4, 4),
    }
    assert {place["instance_type"] for place in places.values()} == {"Standard_F4s_v2"}
    assert mop.show(first)["queue"] is None
    index.gate.set()
    mop.wait(first, "verified")
    for revision in waiting.values():
        mop.wait(revision, "verifyFailed")
    taken = {name: mop.call("GET", f"{revision.path}/events")["items"][1]["at"] for name, revision in waiting.items()}
    assert sorted(taken, key=lambda name: taken[name]) == ["second", "guest", "third", "fourth"]


def test_a_lost_enqueue_is_swept(session_index: PackageIndex):
    with running_installation(portal=False, package_index=session_index.url) as mop:
        mop.start_portal(engine_url=f"sqlite:///{mop.root}/no-such-folder/engine.db")
        revision = mop.submit(write_model(mop.folders / "lost"))
        assert "could not be enqueued" in mop.output("portal")
        mop.start_worker()
        mop.wait(revision, "verified")
        mop.assert_each_status_once(revision)


def test_a_second_worker_of_the_same_name_refuses(mop: Installation):
    first = mop.start_worker("twin")
    second = mop.start("twin-2", mop.worker_command("twin"))
    wait_for(lambda: second.poll() is not None, seconds=30, what="the second one ended")
    assert second.returncode == 1
    assert "A worker named 'twin' runs already" in mop.output("twin-2")
    assert first.poll() is None


@pytest.mark.second_tier
@pytest.mark.dialect
def test_workers_of_two_names_share_the_queue(mop: Installation):
    mop.start_worker("left", worker_concurrency=1)
    mop.start_worker("right", worker_concurrency=1)
    revisions = [
        mop.submit(write_model(mop.folders / f"shared-{number}", inference="time.sleep(0.3)")) for number in range(2)
    ]
    for revision in revisions:
        mop.wait(revision, "verified")
        mop.assert_each_status_once(revision)
    hosts = mop.rows(
        "select host from registry_revision where id in (?, ?)", *(one.id.replace("-", "") for one in revisions)
    )
    assert {host for (host,) in hosts} == {"left", "right"}


@pytest.mark.second_tier
def test_a_drained_worker_ends_with_what_it_has_taken_and_takes_no_more(mop: Installation, index: PackageIndex):
    worker = mop.start_worker("leaves", worker_concurrency=1)
    index.add(wheel("tiny-drained", "1.0"))
    index.gate.clear()
    taken = mop.submit(write_model(mop.folders / "taken", requirements="tiny-drained==1.0\n"))
    assert index.waiting.wait(30), mop.story(taken)
    # the worker leads its pipeline already, and would wait for a host that nobody is
    queued = mop.submit(write_model(mop.folders / "queued"))
    wait_for(lambda: mop.show(queued)["queue"] is not None, seconds=30, what="it waits in the queue")
    drain = ("-m", "mop.cli", "worker", "--drain", "--name")
    assert mop.run(*drain, "nobody").returncode == 64
    assert mop.run(*drain, "leaves").returncode == 0
    wait_for(lambda: "takes no more work" in mop.output("leaves"), seconds=30, what="it drains")
    later = mop.submit(write_model(mop.folders / "later"))
    index.gate.set()
    mop.wait(taken, "verified")
    wait_for(lambda: worker.poll() is not None, seconds=30, what="it ends", note=lambda: mop.output("leaves"))
    assert worker.returncode == 0
    assert {mop.show(revision)["status"] for revision in (queued, later)} == {"created"}
    mop.start_worker("stays")
    for revision in (queued, later):
        mop.wait(revision, "verified")
    for revision in (taken, queued, later):
        mop.assert_each_status_once(revision)
