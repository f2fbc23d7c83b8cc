from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from mop.engine import hosts, liveness
from mop.engine.clock import from_now
from mop.engine.liveness import Liveness, Pulse, living_workers, recover_unheard
from mop.engine.models import Worker

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
PULSE = Pulse(beat=1.0, stale=5.0)


class Clock:
    """This host's clock, moved by the test."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(liveness, "now", clock)
    return clock


@dataclass
class Fellow:
    """A worker without an engine; keeps what it was asked to do."""

    name: str = "w1"
    lock: str = ""
    recovered: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.liveness = Liveness(
            name=self.name,
            lock=self.lock or f"lock of {self.name}",
            pulse=PULSE,
            recover=self.recovered.append,
            release=self.released.append,
            stop=self.stopped.append,
        )
        self.liveness.register()
        # of another host: a claim ends the process that is found on this one
        Worker.objects.filter(pk=self.liveness.executor_id).update(process='["elsewhere", "", 1, ""]')

    @property
    def row(self) -> Worker:
        return Worker.objects.get(pk=self.liveness.executor_id)

    def beat_for(self, seconds: int, clock: Clock) -> None:
        for _ in range(seconds):
            clock.time += 1.0
            self.liveness.beat()


def silence(fellow: Fellow, seconds: float = 5.1) -> None:
    """Nothing was heard of it for so long, by the database's clock."""
    Worker.objects.filter(pk=fellow.liveness.executor_id).update(beat_at=from_now(-seconds))


def test_a_beat_keeps_the_row_alive(clock: Clock):
    first = Fellow()
    silence(first)
    assert not living_workers(PULSE.stale).exists()
    first.liveness.beat()
    assert living_workers(PULSE.stale).get() == first.row
    assert first.stopped == []


def test_who_is_silent_is_claimed_once_and_recovered(clock: Clock):
    first, second, third = Fellow("w1"), Fellow("w2"), Fellow("w3")
    for _ in range(6):
        clock.time += 1.0
        second.liveness.beat()
        third.liveness.beat()
    silence(first)
    second.liveness.look()
    third.liveness.look()
    assert first.row.taken_by == second.liveness.executor_id
    assert (second.recovered, second.released) == ([first.liveness.executor_id], ["w1"])
    assert (third.recovered, third.released) == ([], [])
    assert second.row.lost_at is third.row.lost_at is None


def test_who_is_heard_is_left_alone(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    second.beat_for(6, clock)
    silence(first, 4.0)
    second.liveness.look()
    assert first.row.lost_at is None


def test_nobody_is_claimed_before_ones_own_beats_came_in_time_for_long_enough(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    silence(first, 1000.0)
    second.beat_for(4, clock)
    second.liveness.look()
    assert first.row.lost_at is None
    second.beat_for(1, clock)
    second.liveness.look()
    assert first.row.lost_at is not None


def test_after_an_outage_of_the_database_everybody_gets_time_to_beat_again(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    second.beat_for(60, clock)
    for fellow in (first, second):  # the database was away
        silence(fellow, 30.0)
    clock.time += 30.0
    second.liveness.look()  # the look may come before the beat
    assert first.row.lost_at is None
    second.liveness.beat()
    second.liveness.look()
    assert first.row.lost_at is None
    first.liveness.beat()
    second.beat_for(6, clock)
    second.liveness.look()
    assert first.row.lost_at is None


def test_a_claimed_worker_stops_itself_at_its_next_beat(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    second.beat_for(6, clock)
    silence(first)
    second.liveness.look()
    first.liveness.beat()
    assert len(first.stopped) == 1
    assert first.row.beat_at < first.row.lost_at


def test_revisions_keep_their_host_while_another_process_of_its_name_lives(clock: Clock):
    first, twin, second = Fellow("w1", lock="here"), Fellow("w1", lock="there"), Fellow("w2")
    second.beat_for(6, clock)
    silence(first)
    second.liveness.look()
    assert second.released == []
    silence(twin)
    second.liveness.look()
    assert second.released == ["w1"]


def test_the_holder_of_a_lock_claims_its_former_lives_at_once(clock: Clock):
    former = Fellow("w1")
    other = Fellow("w2")
    again = Fellow("w1")
    assert former.row.taken_by == again.liveness.executor_id
    assert again.released == ["w1"]
    assert other.row.lost_at is None
    again.liveness.look()
    assert again.recovered == [former.liveness.executor_id]


def test_what_a_claimer_that_died_did_not_recover_another_does(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    Worker.objects.filter(pk=first.liveness.executor_id).update(lost_at=from_now(0.0), taken_by="worker:dead:1")
    second.liveness.look()
    second.liveness.look()
    assert second.recovered == [first.liveness.executor_id]


def test_who_ends_politely_is_lost_at_once(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    first.liveness.end()
    assert first.row.taken_by == first.liveness.executor_id
    assert first.released == ["w1"]
    second.liveness.look()
    assert second.recovered == [first.liveness.executor_id]


def test_rows_of_long_ago_are_cleaned_away(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    long_ago = from_now(-25 * 3600.0)
    Worker.objects.filter(pk=first.liveness.executor_id).update(lost_at=long_ago, recovered_at=long_ago)
    second.beat_for(6, clock)
    second.liveness.look()
    assert list(Worker.objects.all()) == [second.row]


def test_work_of_executors_that_are_no_living_worker_goes_back(clock: Clock):
    first, second = Fellow("w1"), Fellow("w2")
    first.liveness.end()
    recovered: list[str] = []
    ids = [first.liveness.executor_id, second.liveness.executor_id, "worker:unknown:1"]
    recover_unheard(ids, recovered.append)
    assert recovered == sorted([first.liveness.executor_id, "worker:unknown:1"])


def test_one_late_beat_must_not_be_a_death():
    with pytest.raises(SystemExit, match="at least twice"):
        Pulse(beat=3.0, stale=5.0)


def test_a_process_is_found_on_its_own_host_only():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        *place, pid, started = json.loads(hosts.this_process())
        assert pid == os.getpid()
        database, *host = place

        def described(*place: str, started: str = hosts._started(process.pid)) -> str:
            return json.dumps([*place, process.pid, started])

        assert not hosts.kill_if_here(described(database, "another boot", host[1]))
        assert not hosts.kill_if_here(described("the database of a copy", *host))
        assert not hosts.kill_if_here(described(*place, started=started))  # a later process of that number
        assert process.poll() is None
        process.send_signal(signal.SIGSTOP)
        assert hosts.kill_if_here(described(*place))
        assert process.wait(20) == -signal.SIGKILL
        assert not hosts.kill_if_here(described(*place))
