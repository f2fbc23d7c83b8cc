"""Kill -9 around every status of a dataset and every commit of its reading; nothing of its rows lies about after it."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.installation import Installation, running_installation
from support.postgres import running_postgres
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier, pytest.mark.xdist_group("failpoints")]

SECONDS = 120.0
CANARY = "canaryofarow"
# every commit of a reading, with a failpoint on both sides of it; `created` is the portal's own
COMMITS = ("dataset snapshot", "dataset verified", "dataset verifyFailed")
_numbers = itertools.count(1)


class Immortal:
    """An installation whose worker and portal are started again whenever they die."""

    def __init__(self, mop: Installation, databases: set[str]) -> None:
        self.mop = mop
        self.databases = databases
        """Files that a database has in the installation's own folder."""
        self._worker = mop.start_worker()

    def revive(self) -> None:
        if self._worker.poll() is None:
            return
        self.mop.kill(self._worker)
        wait_for(lambda: not self.mop.children(), seconds=20, what="all died with the worker", note=self.mop.listing)
        self.mop.assert_no_groups()
        self._worker = self.mop.start_worker(may_die=True)

    def see_through(self, name: str, status: str) -> dict[str, Any]:
        """Revive the worker until every failpoint was met and the dataset ended in the status."""

        def ended() -> dict[str, Any] | None:
            self.revive()
            shown: dict[str, Any] = self.mop.call("GET", f"/datasets/{name}")
            return shown if shown["status"] == status and not self.mop.armed() else None

        return wait_for(
            ended,
            seconds=SECONDS,
            what=f"{name} is {status}",
            note=lambda: (
                f"{self.mop.armed()} {self.mop.call('GET', f'/datasets/{name}')} {self.mop.output('w1')[-4000:]}"
            ),
        )


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def immortal(request: pytest.FixtureRequest) -> Iterator[Immortal]:
    with contextlib.ExitStack() as stack:
        options: dict[str, Any] = {}
        databases = {"mop.db", "engine.db"}
        if request.param == "postgresql":
            options["database_url"], databases = stack.enter_context(running_postgres()).url(), set()
        yield Immortal(stack.enter_context(running_installation(chaos=True, retry_base=0.2, **options)), databases)


def add(mop: Installation, *, faulty: bool = False) -> tuple[str, Path]:
    """A dataset of a new folder, and that folder."""
    name = f"dataset-{next(_numbers)}"
    folder = mop.folders / name
    folder.mkdir()
    labels = ("0", CANARY if faulty else "1")
    lines = ["text\thate", *(f"{CANARY} {number}\t{labels[number % 2]}" for number in range(120))]
    (folder / "dataset.csv").write_text("\n".join(lines) + "\n")
    mop.call(
        "POST",
        "/datasets",
        {
            "modality": "Text",
            "team": "the team",
            "url": folder.as_uri(),
            "datasets": [{"label_header": "hate", "name": name, "label_type": "Binary"}],
        },
    )
    return name, folder


def assert_each_status_once(mop: Installation, name: str, *ending: str) -> None:
    found = mop.rows(
        "select data from audit_auditevent where action = 'dataset.status' and object_label = ? order by id", name
    )
    states = [(row if isinstance(row, dict) else json.loads(row))["to"] for (row,) in found]
    assert states == list(ending)


def around(commit: str) -> tuple[str, str]:
    return f"before {commit}", f"after {commit}"


@pytest.mark.parametrize("commit", COMMITS)
def test_around_every_commit_of_a_reading(immortal: Immortal, commit: str):
    mop, is_faulty = immortal.mop, commit == COMMITS[-1]
    mop.arm(*around(commit))
    name, _ = add(mop, faulty=is_faulty)
    ending = "verifyFailed" if is_faulty else "verified"
    shown = immortal.see_through(name, ending)
    assert shown["sample_number"] == 120
    assert_each_status_once(mop, name, "created", ending)
    mop.assert_idle()


def test_around_created_the_portal_dies(immortal: Immortal):
    mop = immortal.mop
    mop.arm("after dataset created")
    with pytest.raises(httpx.TransportError):
        add(mop)
    mop.see_portal_again()
    name = f"dataset-{next(_numbers) - 1}"
    immortal.see_through(name, "verified")
    assert_each_status_once(mop, name, "created", "verified")


def test_around_outdated_the_portal_dies(immortal: Immortal):
    mop = immortal.mop
    name, _ = add(mop)
    immortal.see_through(name, "verified")
    mop.arm("before dataset outdated")
    with pytest.raises(httpx.TransportError):
        mop.call("POST", f"/datasets/{name}/outdated")
    mop.see_portal_again()
    assert mop.call("GET", f"/datasets/{name}")["status"] == "verified"
    mop.call("POST", f"/datasets/{name}/outdated")
    assert_each_status_once(mop, name, "created", "verified", "outdated")


def test_a_source_that_changes_after_the_snapshot_changes_nothing(immortal: Immortal):
    mop = immortal.mop
    mop.arm("after dataset snapshot")
    name, folder = add(mop)
    wait_for(lambda: not mop.armed(), seconds=SECONDS, what="the snapshot is taken")
    (folder / "dataset.csv").write_text("another file\n")
    assert immortal.see_through(name, "verified")["sample_number"] == 120


def test_no_log_database_or_left_over_file_of_the_installation_holds_a_cell(immortal: Immortal):
    """The last test of the file: workers were killed, with all that they were doing."""
    mop = immortal.mop
    for faulty in (False, True):
        name, _ = add(mop, faulty=faulty)
        immortal.see_through(name, "verifyFailed" if faulty else "verified")
    looked = []
    for path in mop.root.rglob("*"):
        if not path.is_file() or path.is_relative_to(mop.folders) or "artifacts" in path.parts:
            continue
        looked.append(path.name)
        assert CANARY.encode() not in path.read_bytes(), path
    assert {"w1.log", "portal.log"} | immortal.databases <= set(looked)
    stored = (mop.root / "home" / "artifacts" / "blobs").glob("*/*/*")
    assert any(CANARY.encode() in path.read_bytes() for path in stored)  # this test would notice
    scratch = mop.root / "home" / "dataset-scratch"
    assert not scratch.exists() or not any(scratch.iterdir())
