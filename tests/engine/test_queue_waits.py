"""The waits of the engine's queue threads; and that the engine in use really waits there."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from mop.engine.queue_waits import THREAD_NAME, QueueWaits, hear_always
from mop.engine.wakes import CHANGES, EVERY_QUEUE, PostgresWakes
from support.postgres import running_postgres
from support.waiting import wait_for

pytestmark = pytest.mark.dialect

PATIENCE = 30.0


class Looker:
    """A thread of the engine as far as the waits see it: it waits, then looks, until it stops."""

    def __init__(self, waits: QueueWaits, queue: str) -> None:
        self.looks: SimpleQueue[str] = SimpleQueue()
        self._waits = waits
        self.thread = threading.Thread(target=self._run, name=THREAD_NAME + queue, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self._waits.wait(0.0):
            self.looks.put("looked")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[QueueWaits]:
    # nothing but what is asked for wakes a queue
    monkeypatch.setattr("mop.engine.queue_waits.AGAIN_SECONDS", ())
    waits = QueueWaits()
    waits.hear(deaf=False)
    yield waits
    waits.set()


def test_a_queue_is_looked_at_once_at_the_start_and_after_each_wake_of_its_own(waits: QueueWaits):
    first, second = Looker(waits, "first"), Looker(waits, "second")
    assert first.looks.get(timeout=PATIENCE) == second.looks.get(timeout=PATIENCE) == "looked"
    waits.wake("first")
    assert first.looks.get(timeout=PATIENCE) == "looked"
    assert second.looks.empty()
    assert first.looks.empty()


def test_a_wake_of_every_queue_reaches_all(waits: QueueWaits):
    lookers = [Looker(waits, name) for name in ("a", "b", "c")]
    for looker in lookers:
        looker.looks.get(timeout=PATIENCE)
    waits.wake(EVERY_QUEUE)
    assert [looker.looks.get(timeout=PATIENCE) for looker in lookers] == ["looked"] * 3


def test_a_wake_before_the_thread_waits_is_not_lost(waits: QueueWaits):
    waits.wake("later")
    looker = Looker(waits, "later")
    assert looker.looks.get(timeout=PATIENCE) == "looked"


def test_after_a_wake_a_queue_is_looked_at_again(waits: QueueWaits, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.engine.queue_waits.AGAIN_SECONDS", (0.01, 0.02))
    looker = Looker(waits, "queue")
    assert [looker.looks.get(timeout=PATIENCE) for _ in range(3)] == ["looked"] * 3


def test_while_nothing_can_be_heard_queues_are_looked_at_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.engine.queue_waits.AGAIN_SECONDS", ())
    monkeypatch.setattr("mop.engine.queue_waits.DEAF_SECONDS", 0.01)
    waits = QueueWaits()
    looker = Looker(waits, "queue")
    assert [looker.looks.get(timeout=PATIENCE) for _ in range(5)] == ["looked"] * 5
    waits.set()


def test_the_threads_end_when_the_engine_stops(waits: QueueWaits):
    looker = Looker(waits, "queue")
    waits.set()
    looker.thread.join(PATIENCE)
    assert not looker.thread.is_alive()
    assert waits.is_set()


def test_a_listener_whose_database_was_away_listens_again(waits: QueueWaits, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.engine.queue_waits.LISTEN_AGAIN_SECONDS", 0.01)
    told: SimpleQueue[str] = SimpleQueue()
    with running_postgres() as server:
        wakes = PostgresWakes(server.url())

        def hear(name: str) -> None:
            if name != CHANGES:  # it says so itself whenever it listens again
                told.put(name)

        listening = threading.Thread(target=hear_always, args=(waits, wakes, hear), daemon=True)
        listening.start()
        for name in ("before", "after"):
            # what is sent before it listens is for the look that follows listening
            wait_for(lambda name=name: wakes.send(name) or not told.empty(), seconds=PATIENCE, what=f"{name} is heard")
            assert told.get(timeout=PATIENCE) == name
            server.stop()
            server.start()
            while not told.empty():
                told.get()
        waits.set()
    listening.join(PATIENCE)
    assert not listening.is_alive()


# A process of its own: an engine that was launched stays in its process.
ENGINE = """
import asyncio, sys, threading
from django.conf import settings
settings.configure(MOP_ENGINE_URL=sys.argv[1])
from dbos import DBOS, SetWorkflowID
from dbos._workflow_commands import BACKGROUND_JOBS_THREAD_NAME
from mop.engine import queue_waits, runtime, wakes

kept = []
install = queue_waits.QueueWaits.install
queue_waits.QueueWaits.install = lambda self, engine, **more: (kept.append(self), install(self, engine, **more))

ran, begun = [], []
goes_on, ends = threading.Event(), threading.Event()

@DBOS.workflow(name="long")
def long():
    goes_on.set()
    ends.wait()

@DBOS.workflow(name="work")
def work(number):
    ran.append(number)
    return number

@DBOS.workflow(name="parent")
async def parent():
    child = await DBOS.enqueue_workflow_async("nobody's", work, 21)
    goes_on.set()
    return await child.get_result()

async def main():
    runtime.prepare_database(sys.argv[1])
    begin = lambda: begun.append(threading.current_thread().name)
    queues = [runtime.WorkQueue(name, 1) for name in ("one", "two", "parents")]
    launched = await runtime.launch(url=sys.argv[1], executor_id="e", queues=queues, on_first_work=begin)
    assert begun == []
    for number in range(20):
        handle = await DBOS.enqueue_workflow_async("one", work, number)
        wakes.wake("one")
    assert await handle.get_result() == 19
    (waits,) = kept
    assert launched is waits
    assert "one" in waits._sleepers, waits._sleepers
    assert sorted(ran) == list(range(20)), ran
    assert begun == ["mop-first-work"], begun
    assert not [thread.name for thread in threading.enumerate() if thread.name == BACKGROUND_JOBS_THREAD_NAME]

    # drained: what runs goes on to its end, what waits is not begun, what waits for that is left to others
    led = await DBOS.enqueue_workflow_async("parents", parent)
    wakes.wake("parents")
    await asyncio.to_thread(goes_on.wait)
    goes_on.clear()
    running = await DBOS.enqueue_workflow_async("two", long)
    wakes.wake("two")
    await asyncio.to_thread(goes_on.wait)
    draining = asyncio.create_task(asyncio.to_thread(waits.drain, but={"parents"}))
    while not waits.is_set():
        await asyncio.sleep(0.01)
    waiting = await DBOS.enqueue_workflow_async("one", work, 20)
    wakes.wake("one")
    await asyncio.sleep(0.5)
    assert not draining.done()
    ends.set()
    await draining
    assert (await running.get_status()).status == "SUCCESS"
    assert (await waiting.get_status()).status == "ENQUEUED"
    assert (await led.get_status()).status == "PENDING"
    assert not {20, 21} & {*ran}

asyncio.run(asyncio.wait_for(main(), 60))
print("done", flush=True)
import os

os._exit(0)
"""


def test_the_engine_in_use_waits_there_takes_the_next_when_one_ends_and_is_drained(tmp_path: Path):
    """20 pieces of work on a queue of one slot; without the wake of a slot each would wait for two minutes."""
    argv = [sys.executable, "-c", ENGINE, f"sqlite:///{tmp_path}/engine.db"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=100)
    assert done.stdout == "done\n", done.stderr
