"""What garbage collection plans on a host with environments, unpacked models, an artifact store and a database."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from environments.packages import PackageIndex, pip_wheel, wheel
from mop.environments import Environment, environment_in_use
from mop.hosting.garbage_collection import Limits, Plan, Removal, bytes_on_disk, make_plan, read_wanted
from mop.hosting.preparation import build_environment, check_folder
from mop.hosting.tools import HostTools
from mop.registry.statuses import RevisionStatus
from mop.serving.local_host import LocalServiceHost
from mop.storage import ArtifactStore, SnapshotLimits, store_folder, unpack
from support.factories import make_model
from support.model_folders import write_model

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]

FOREVER = Limits(days=1e6, bytes=1e18)
LONG_AGO = time.time() - 40 * 24 * 3600


@pytest.fixture
def tools(host_tools: HostTools, tmp_path: Path) -> Iterator[HostTools]:
    """The host's tools with folders of its own and an index beside it."""
    index = PackageIndex()
    index.add(pip_wheel(), wheel("tiny", "1.0", files={"tiny/data.txt": "x" * 200_000}))
    yield dataclasses.replace(
        host_tools,
        folder=tmp_path / "models",
        artifact_folder=tmp_path / "artifacts",
        artifacts=ArtifactStore.local(tmp_path / "artifacts"),
        environments=dataclasses.replace(host_tools.environments, root=tmp_path / "environments", index_url=index.url),
        host=LocalServiceHost(settings.MOP_RUNTIME_FOLDER / "garbage"),
    )
    index.close()


Onboard = Callable[..., tuple[str, str]]


async def build(unpacked: Path, tools: HostTools) -> Environment:
    model = await check_folder(unpacked, tools=tools, log=print)
    return await build_environment(model, tools=tools, log=print)


@pytest.fixture
def onboard(tools: HostTools, tmp_path: Path) -> Onboard:
    """Snapshot, unpack and build as a worker does; gives the digest and the environment's key."""

    async def run(folder: Path) -> tuple[str, str]:
        manifest = await store_folder(folder, tools.artifacts, limits=SnapshotLimits(), log=print)
        unpacked = tools.folder / manifest.digest
        await unpack(manifest.digest, tools.artifacts, unpacked, log=print)
        environment = await build(unpacked, tools)
        return manifest.digest, environment.key

    def onboard(name: str, requirements: str = "") -> tuple[str, str]:
        return asyncio.run(run(write_model(tmp_path / name, requirements=requirements)))

    return onboard


def age(folder: Path, moment: float = LONG_AGO) -> None:
    """As if everything was last used and written then."""
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment), follow_symlinks=False)


def age_uses(tools: HostTools, moment: float = LONG_AGO) -> None:
    for path in [*tools.environments.root.glob("envs/*/environment.json"), *tools.folder.glob("*.digest")]:
        os.utime(path, (moment, moment))


def things(plan: Plan, kind: str) -> list[Removal]:
    return [one for one in plan.removals if one.kind == kind]


def test_what_was_used_a_moment_ago_stays_whatever_the_limits(tools: HostTools, onboard: Onboard) -> None:
    onboard("m")
    plan = make_plan(tools, Limits(days=0, bytes=0), read_wanted())
    assert {one.kind for one in plan.removals} == {"package cache"}


def test_what_nobody_used_for_too_long_goes_and_can_be_made_again(tools: HostTools, onboard: Onboard) -> None:
    digest, key = onboard("m")
    age_uses(tools)
    plan = make_plan(tools, Limits(days=30, bytes=1e18), read_wanted())
    assert [one.name[:12] for one in things(plan, "environment")] == [key[:12]]
    assert [one.name[:12] for one in things(plan, "model")] == [digest[:12]]
    assert all("unused for 40 days" in one.why for one in plan.removals if one.kind != "package cache")
    before = bytes_on_disk(tools)
    assert all(one.remove() for one in plan.removals)
    assert before - bytes_on_disk(tools) >= sum(one.bytes or 0 for one in plan.removals) > 0
    assert onboard("m") == (digest, key)


def test_younger_things_stay(tools: HostTools, onboard: Onboard) -> None:
    onboard("m")
    age_uses(tools)
    assert {one.kind for one in make_plan(tools, Limits(days=50, bytes=1e18), read_wanted()).removals} == {
        "package cache"
    }


@pytest.mark.parametrize("status", [RevisionStatus.ENVIRONMENT_CREATED, RevisionStatus.TO_BE_RETRIED])
def test_what_a_revision_on_its_way_needs_stays(tools: HostTools, onboard: Onboard, status: RevisionStatus) -> None:
    digest, key = onboard("m")
    revision = make_model().revisions.get()
    revision.status, revision.environment_key, revision.artifact_digest = status, key, digest
    revision.save()
    age_uses(tools)
    age(tools.artifact_folder)
    everything = Limits(days=0, bytes=0)
    assert {one.kind for one in make_plan(tools, everything, read_wanted()).removals} == {"package cache"}
    revision.status = RevisionStatus.VERIFIED
    revision.save()
    assert {one.kind for one in make_plan(tools, everything, read_wanted()).removals} == {
        "package cache",
        "environment",
        "model",
    }


def test_what_is_used_when_its_turn_comes_stays(tools: HostTools, onboard: Onboard, tmp_path: Path) -> None:
    digest, _ = onboard("m")
    age_uses(tools)
    [removal] = things(make_plan(tools, Limits(days=30, bytes=1e18), read_wanted()), "environment")
    environment = asyncio.run(build(tools.folder / digest, tools))
    assert environment.reused
    with environment_in_use(environment):
        age_uses(tools)
        assert not removal.remove()
    assert environment.python.exists()


def test_over_the_size_the_cache_is_emptied_then_the_longest_unused_goes(tools: HostTools, onboard: Onboard) -> None:
    _, older = onboard("m1", "tiny==1.0\n")
    age_uses(tools, LONG_AGO)
    _, newer = onboard("m2")
    for path in tools.environments.root.glob(f"envs/{newer}/environment.json"):
        os.utime(path, (LONG_AGO + 3600, LONG_AGO + 3600))
    roomy = make_plan(tools, FOREVER, read_wanted())
    assert [one.why for one in roomy.removals] == ["what nothing refers to"]
    tight = make_plan(tools, Limits(days=1e6, bytes=0), read_wanted())
    assert [one.why for one in things(tight, "package cache")] == ["over the size"]
    assert [one.name[:12] for one in things(tight, "environment")] == [older[:12], newer[:12]]
    assert all(one.remove() for one in tight.removals)
    assert list(tools.environments.root.glob("envs/*")) == []
    assert list(tools.environments.root.glob("cache-*/uv/**/*.py")) == []
    assert not list(tools.environments.root.glob("trash/*"))


def test_artifacts_of_no_revision_go_after_the_grace_time(tools: HostTools, onboard: Onboard) -> None:
    digest, _ = onboard("m")
    assert things(make_plan(tools, FOREVER, read_wanted()), "artifact") == []
    age(tools.artifact_folder)
    found = things(make_plan(tools, FOREVER, read_wanted()), "artifact")
    assert len(found) == 5  # a manifest and four files
    make_model().revisions.update(artifact_digest=digest, status=RevisionStatus.OUTDATED)
    assert things(make_plan(tools, FOREVER, read_wanted()), "artifact") == []


def test_without_a_database_the_artifact_store_is_left_alone(tools: HostTools, onboard: Onboard) -> None:
    onboard("m")
    age(tools.artifact_folder)
    plan = make_plan(tools, FOREVER, None)
    assert things(plan, "artifact") == []
    assert "artifact store" in plan.kept[0]


def test_leftovers_of_builds_that_nobody_goes_on_with_are_removed(tools: HostTools) -> None:
    root = tools.environments.root
    for part in ("builds/abc", "envs/abc", "trash/abc.1234"):
        (root / part / "in").mkdir(parents=True)
    plan = make_plan(tools, FOREVER, read_wanted())
    assert len(things(plan, "leftover")) == 3
    assert all(one.remove() for one in plan.removals)
    assert [path for path in root.glob("*/*") if path.parent.name != "locks"] == []
