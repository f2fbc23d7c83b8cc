"""Two workers on PostgreSQL: one goes on with the work of the other, and only when it is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from environments.packages import PackageIndex, wheel
from mop.worker.host import EXIT_STOPPED_ITSELF
from support.installation import END_SECONDS, Installation, Submitted, running_installation
from support.model_folders import write_model
from support.postgres import PostgresServer, running_postgres
from support.waiting import wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.sandbox, pytest.mark.xdist_group("takeover"), pytest.mark.second_tier]
SECONDS = 120.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def shared_mop(postgres: PostgresServer, session_index: PackageIndex) -> Iterator[Installation]:
    with running_installation(package_index=session_index.url, database_url=postgres.url()) as mop:
        yield mop


@dataclass(frozen=True)
class Held:
    """A revision whose build waits until the package index lets go."""

    revision: Submitted
    index: PackageIndex

    def let_go(self) -> None:
        self.index.gate.set()


def submit_held(mop: Installation, index: PackageIndex, name: str) -> Held:
    """Submit a model, and wait until a worker builds its environment."""
    package = f"tiny-{name}"
    index.add(wheel(package, "1.0"))
    index.gate.clear()
    index.waiting.clear()
    revision = mop.submit(write_model(mop.folders / name, requirements=f"{package}==1.0\n"))
    assert index.waiting.wait(SECONDS), mop.story(revision)
    return Held(revision, index)


def assert_verified(mop: Installation, held: Held, on: str) -> None:
    """The revision reaches its end on that host, and entered each status once."""
    held.let_go()
    mop.wait(held.revision, "verified", seconds=SECONDS)
    mop.assert_each_status_once(held.revision)
    assert host(mop, held.revision) == on


def host(mop: Installation, revision: Submitted) -> str:
    ((name,),) = mop.rows("select host from registry_revision where id = ?", revision.id)
    return str(name)


def lost(mop: Installation) -> list[tuple[str, str]]:
    """Names of the workers that were ever claimed, and by whom."""
    return [
        (name, taken_by.split(":")[1])
        for name, taken_by in mop.rows("select name, taken_by from engine_worker where lost_at is not null")
    ]


def written(mop: Installation, revision: Submitted) -> list[tuple[int]]:
    """How much was ever written about a revision."""
    return [
        *mop.rows("select count(*) from registry_revisionevent where revision_id = ?", revision.id),
        *mop.rows("select count(*) from audit_auditevent where object_id = ?", revision.id),
        *mop.rows("select count(*) from onboarding_logline where revision_id = ?", revision.id),
    ]


def wait_ended(process: subprocess.Popen[bytes]) -> int:
    return process.wait(SECONDS)


@pytest.fixture(autouse=True)
def no_earlier_workers(mop: Installation, postgres: PostgresServer) -> None:
    mop.stop_workers()
    mop.execute("delete from engine_worker")


def test_the_second_worker_ends_what_a_killed_one_began(mop: Installation, index: PackageIndex):
    first = mop.start_worker("w1")
    held = submit_held(mop, index, "killed")
    assert host(mop, held.revision) == "w1"
    mop.start_worker("w2", worker_stale_seconds=5)
    mop.kill(first)
    assert_verified(mop, held, on="w2")
    assert lost(mop) == [("w1", "w2")]
    assert not list((mop.root / "home").glob("*.db"))  # nothing is kept in SQLite


def test_a_frozen_worker_is_taken_over_and_ended_on_its_own_host(mop: Installation, index: PackageIndex):
    first = mop.start_worker("w1")
    held = submit_held(mop, index, "frozen")
    mop.start_worker("w2", worker_stale_seconds=5)
    first.send_signal(signal.SIGSTOP)  # it holds the lock of the environment that it builds
    assert_verified(mop, held, on="w2")
    assert wait_ended(first) == -signal.SIGKILL


def test_a_frozen_worker_that_wakes_up_writes_nothing_and_stops_itself(mop: Installation, index: PackageIndex):
    first = mop.start_worker("w1", worker_stale_seconds=100)
    held = submit_held(mop, index, "zombie")
    first.send_signal(signal.SIGSTOP)
    # as a worker on another host does, which cannot end this process
    mop.execute("update engine_worker set lost_at = clock_timestamp(), taken_by = 'worker:elsewhere:1'")
    before = written(mop, held.revision)
    held.let_go()
    first.send_signal(signal.SIGCONT)
    assert wait_ended(first) == EXIT_STOPPED_ITSELF
    assert "taken over" in mop.output("w1")
    assert written(mop, held.revision) == before
    mop.start_worker("w2")
    assert_verified(mop, held, on="w2")


def test_a_worker_that_ends_politely_hands_its_work_over_at_once(mop: Installation, index: PackageIndex):
    first = mop.start_worker("w1", worker_stale_seconds=100)
    held = submit_held(mop, index, "handed-over")
    mop.start_worker("w2", worker_stale_seconds=100)
    mop.kill(first, signal.SIGTERM)
    assert_verified(mop, held, on="w2")


def test_a_short_outage_of_the_database_takes_nobodys_work(
    mop: Installation, index: PackageIndex, postgres: PostgresServer
):
    mop.start_worker("w1", worker_stale_seconds=60)
    held = submit_held(mop, index, "outage")
    mop.start_worker("w2", worker_stale_seconds=60)
    postgres.stop()
    postgres.start()
    assert_verified(mop, held, on="w1")
    assert lost(mop) == []


def test_a_worker_that_can_not_beat_stops_itself_and_its_next_life_goes_on(
    mop: Installation, index: PackageIndex, postgres: PostgresServer
):
    first = mop.start_worker("w1", worker_stale_seconds=5)
    held = submit_held(mop, index, "long-outage")
    postgres.stop()
    try:
        assert wait_ended(first) == EXIT_STOPPED_ITSELF
        wait_for(lambda: not mop.children(), seconds=END_SECONDS, what="its children end", note=mop.listing)
    finally:
        postgres.start()
    assert "no heartbeat could be written" in mop.output("w1")
    mop.start_worker("w1")
    assert_verified(mop, held, on="w1")
    assert lost(mop) == [("w1", "w1")]


def test_of_many_who_claim_at_once_one_wins(mop: Installation):
    output = subprocess.run(
        [sys.executable, "-m", "support.claim_race"],
        env=mop.environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    ).stdout
    assert output == "30 rows, 30 claims\n"
