"""A disk of the installation runs full: it is named, nothing half is left, with room it goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from environments.packages import PackageIndex, wheel
from mop.environments.marker import NAME as MARKER
from mop.errors import DiskFullError
from support.installation import Installation, running_installation
from support.model_folders import write_model
from support.small_disks import MIB, SmallDisk, small_disk
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.xdist_group("full-disks"), pytest.mark.second_tier]
LARGE = 8 * MIB
ROOM = 2 * MIB  # so many bytes are free
# what each stage of an onboarding fills
FOLDERS = ("artifacts", "models", "environments")


@pytest.fixture(scope="module")
def disks() -> Iterator[dict[str, SmallDisk]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(small_disk()) for name in FOLDERS}


@pytest.fixture(scope="module")
def mop(module_index: PackageIndex, disks: dict[str, SmallDisk]) -> Iterator[Installation]:
    """An installation with a disk for each of its large folders, and a worker."""
    with running_installation(package_index=module_index.url, retry_base=1) as mop:
        for name, disk in disks.items():
            (mop.root / "home" / name).symlink_to(disk.folder)
        mop.start_worker()
        yield mop


def partial_files(disks: dict[str, SmallDisk]) -> list[Path]:
    """What a stage that failed may not leave behind."""
    patterns = ("incoming/*", "*.partial", ".*.partial", "builds/*", "cache-*/building/*")
    found = [path for disk in disks.values() for pattern in patterns for path in disk.folder.glob(pattern)]
    return found + [path for path in disks["environments"].folder.glob("envs/*") if not (path / MARKER).exists()]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_full_disk(mop: Installation, disks: dict[str, SmallDisk], module_index: PackageIndex, name: str):
    folder = write_model(mop.folders / name, requirements=f"large-{name}==1.0\n")
    (folder / "model" / "weights").write_bytes(os.urandom(LARGE))
    files = {f"large/part{number}.txt": f"{name}{number}" * 250_000 for number in range(4)}
    module_index.add(wheel(f"large-{name}", "1.0", files=files))
    disks[name].leave_room(ROOM)
    revision = mop.submit(folder)
    waiting = mop.wait(revision, "toBeRetried")["error"]
    assert waiting["name"] == "DiskFullError", waiting
    assert "free space" in waiting["hint"]
    assert partial_files(disks) == []
    assert "the platform is at fault" in mop.output("w1")
    assert ("DiskFullError",) in mop.rows("select fault from notifications_alert where closed_at is null")
    disks[name].leave_room(256 * MIB)
    wait_for(
        lambda: mop.show(revision)["status"] == "verified",
        seconds=90,
        what="it is verified as soon as there is room",
        note=lambda: mop.story(revision),
    )
    mop.assert_each_status_once(revision)
    mop.assert_idle()
    assert partial_files(disks) == []


def test_portal_and_api_name_the_full_disk_of_the_database():
    with small_disk() as disk, running_installation(portal=False, database_url="") as mop:
        home = mop.root / "home"
        shutil.copytree(home, disk.folder, dirs_exist_ok=True)
        shutil.rmtree(home)
        home.symlink_to(disk.folder)
        mop.start_portal()
        with contextlib.closing(_signed_in(mop)) as browser:
            # a thread of the portal that has the database open holds files that go when it closes it
            wait_for(lambda: _refuses_without_room(mop, disk), seconds=60, what="no room is left for a first reader")
            answers = [mop.api.get("/models"), mop.api.get("/models/x"), mop.api.post("/models", json={"name": "x"})]
            page = browser.get("/models/")
            fragment = browser.get("/live/models/", headers={"HX-Request": "true"})
            disk.leave_room(8 * MIB)
            again = [mop.api.get("/models").status_code, browser.get("/models/").status_code]
        assert {answer.status_code for answer in (*answers, page, fragment)} == {503}
        assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}
        problems = [answer.json() for answer in answers]
        assert {(problem["name"], problem["hint"]) for problem in problems} == {
            ("DiskFullError", DiskFullError.default_hint)
        }
        named = f"The disk that holds {home} is full."
        assert {problem["message"] for problem in problems} == {named}
        assert named in page.text
        assert "<title>A disk of this installation is full" in page.text
        assert named in fragment.text
        assert fragment.headers["HX-Retarget"] == "#faults"
        assert again == [200, 200]


def _refuses_without_room(mop: Installation, disk: SmallDisk) -> bool:
    disk.leave_room(0)
    return mop.api.get("/models").status_code == HTTPStatus.SERVICE_UNAVAILABLE


def _signed_in(mop: Installation) -> httpx.Client:
    browser = httpx.Client(base_url=f"http://127.0.0.1:{mop.port}", trust_env=False, timeout=30)
    browser.get("/accounts/login/")
    form = {
        "login": mop.username,
        "password": mop.password,
        "csrfmiddlewaretoken": next(value for name, value in browser.cookies.items() if "csrf" in name),
    }
    assert browser.post("/accounts/login/", data=form, headers={"Referer": str(browser.base_url)}).status_code == 302
    return browser
