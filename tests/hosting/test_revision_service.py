"""A service of a revision as one block: what is held while it runs, and what ends it before it starts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from hosting.conftest import MakeJob
from mop.engine import fence
from mop.engine.fence import WorkerLostError, stand_behind_fence
from mop.engine.models import Worker
from mop.environments import Environment
from mop.errors import StaleAttemptError
from mop.findings.models import Scan
from mop.hosting.jobs import RevisionJob
from mop.hosting.service import HostedService, ServiceObserver, revision_service
from mop.hosting.tools import HostTools
from mop.sandbox import Granted
from mop.serving.http_client import request
from mop.serving.service import ServiceRequest
from mop.storage.unpacked import remove_unpacked
from support.model_folders import write_model

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.xdist_group("hosting")]

Body = Callable[[HostedService], Awaitable[None]]


class Recorder(ServiceObserver):
    """Keeps what it is told; raises when its service comes to a step."""

    def __init__(self, fails_at: str = "") -> None:
        self.told: list[str] = []
        self._fails_at = fails_at

    def waits_for_room(self, line: str) -> None:
        self.told.append(line)

    async def endpoint_creating(self) -> None:
        self._step("endpoint creating")

    async def endpoint_created(self, given: Granted, description: str) -> None:
        self._step("endpoint created")
        assert description.startswith(f"given {given.cpus:g} of 1 vCPU")

    async def deployment_creating(self) -> None:
        self._step("deployment creating")

    async def deployment_created(self, seconds: float) -> None:
        self._step("deployment created")
        assert seconds > 0

    def _step(self, name: str) -> None:
        self.told.append(name)
        if name == self._fails_at:
            raise StaleAttemptError("the attempt is over")


def run(job: RevisionJob, body: Body, *, observer: ServiceObserver | None = None) -> list[str]:
    """Run a block with the job's service; gives the log."""
    log: list[str] = []

    async def block() -> None:
        async with revision_service(job, log=log.append, observer=observer) as hosted:
            await body(hosted)

    async_to_sync(block)()
    return log


async def nothing(_hosted: HostedService) -> None:
    pass


async def never(_hosted: HostedService) -> None:
    raise AssertionError("the service was started")


def leases(tools: HostTools, root: Path) -> list[Path]:
    return [path for path in (root / "services").iterdir() if path.is_dir()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", init="print('the model starts')")


def test_it_answers_with_everything_held_and_gives_it_back(
    make_job: MakeJob, built: tuple[HostTools, Environment], root: Path, folder: Path
):
    tools, observer = built[0], Recorder()
    job = make_job(folder)
    job = replace(job, spec=replace(job.spec, sample={"text": "the owner's sample"}))
    unpacked = tools.folder / job.artifact_digest

    async def body(hosted: HostedService) -> None:
        assert await hosted.service.score({"text": "darn"}, mop=False) == {"bad": True}
        assert b"the owner's sample" in (await request(hosted.service.address, "GET", "/openapi.json")).body
        assert len(leases(tools, root)) == 1
        assert not remove_unpacked(unpacked, unused_since=float("inf"))

    log = run(job, body, observer=observer)
    assert observer.told == ["endpoint creating", "endpoint created", "deployment creating", "deployment created"]
    assert "[process-1] the model starts" in log
    assert leases(tools, root) == []
    assert remove_unpacked(unpacked, unused_since=float("inf"))
    run(job, nothing)  # the folder is made again


@pytest.mark.parametrize("step", ["endpoint creating", "endpoint created", "deployment creating", "deployment created"])
def test_what_the_observer_raises_ends_the_service(
    make_job: MakeJob, built: tuple[HostTools, Environment], root: Path, folder: Path, step: str
):
    observer = Recorder(fails_at=step)
    with pytest.raises(StaleAttemptError):
        run(make_job(folder), never, observer=observer)
    assert observer.told[-1] == step
    assert leases(built[0], root) == []


def test_who_waits_for_room_is_told_so_and_gets_it(
    make_job: MakeJob, built: tuple[HostTools, Environment], folder: Path
):
    host = built[0].host
    everything = ServiceRequest("other", "somebody", cpus=4.0 * len(os.sched_getaffinity(0)), memory_bytes=1)
    reservation = async_to_sync(host.reserve)(everything)

    class GivesWay(Recorder):
        """The other service ends as soon as somebody waits."""

        def waits_for_room(self, line: str) -> None:
            super().waits_for_room(line)
            self.released = asyncio.get_running_loop().create_task(host.release(reservation))

    observer = GivesWay()
    log = run(make_job(folder), nothing, observer=observer)
    assert observer.told[1].startswith("waits for room on this host: This host has no room for service")
    assert observer.told[1] in log
    assert observer.told[2:] == ["endpoint created", "deployment creating", "deployment created"]


def test_a_worker_whose_work_was_given_to_another_starts_nothing(
    make_job: MakeJob,
    built: tuple[HostTools, Environment],
    root: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(fence, "_executor_id", "")
    monkeypatch.setattr(fence, "_on_lost", None)
    observer = Recorder()
    job = make_job(folder)
    assert not Worker.objects.exists()
    stand_behind_fence("worker:gone:1", lambda _reason: None)
    with pytest.raises(WorkerLostError):
        run(job, never, observer=observer)
    assert observer.told == ["endpoint creating"]
    assert leases(built[0], root) == []


@pytest.mark.django_db(transaction=True)
def test_an_environment_that_the_revisions_scan_did_not_see_is_scanned_before_anything_starts(
    make_job: MakeJob, built: tuple[HostTools, Environment], folder: Path
):
    job = make_job(folder, is_scanned=False)

    class Looks(ServiceObserver):
        async def endpoint_creating(self) -> None:
            scan = await Scan.objects.aget(revision_id=job.revision_id, is_current=True)
            assert scan.environment_digest == built[1].files

    run(job, nothing, observer=Looks())
    log = run(job, nothing)
    assert not [line for line in log if "scanned" in line]  # once is enough
