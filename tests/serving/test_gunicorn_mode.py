"""The second server mode: gunicorn's workers, each with a model process of its own, behind the same Protocol."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from mop.errors import (
    DeploymentCrashedError,
    HostLostError,
    InvalidRequestError,
    RequestDeadlineError,
    UserScriptException,
)
from mop.serving import local_service
from mop.serving.config import BatchPolicy
from mop.serving.http_client import request
from mop.serving.local_service import LocalService
from mop.serving_options import ServerMode
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import child_pids, gone, reached
from serving.test_connections import connect, post

GUNICORN = ServerMode.GUNICORN
MODEL = """
def inference(self, item):
    if item == "loop":
        while True: pass
    if item == "exit":
        os._exit(7)
    return [os.getpid(), item]
"""
GATED = PASS_GATE + "\ndef inference(self, item):\n    self.pass_gate(item)\n    return item\n"


def workers(service: LocalService) -> list[int]:
    return child_pids(service._front.pid)


def models(worker: int) -> list[int]:
    return child_pids(worker)


def socket_mode(service: LocalService) -> int:
    return Path(service.address.removeprefix("unix:")).stat().st_mode & 0o777


def left_in_its_folder(service: LocalService) -> set[str]:
    return {path.name for path in Path(service.address.removeprefix("unix:")).parent.iterdir()}


async def all_ready(service: LocalService, count: int) -> None:
    async def told() -> bool:
        answer = await request(service.address, "GET", "/ready")
        return answer.status == 200 and json.loads(answer.body)["processes"] == count

    await reached(told)


async def test_each_worker_has_a_model_process_and_answers_as_the_other_mode_does(
    make_model: MakeModel, start: StartService
):
    service = await start(make_model(MODEL), server=GUNICORN, workers=2, threads=4)
    owned = [models(worker) for worker in workers(service)]
    assert [len(processes) for processes in owned] == [1, 1]
    answers = await asyncio.gather(*(service.score(n, mop=False) for n in range(40)))
    assert [number for _, number in answers] == list(range(40))
    assert {pid for pid, _ in answers} <= {process for (process,) in owned}
    assert "predicted_labels" in await service.score({"text": "a"}, mop=True)
    assert [number for _, number in await service.score([1, 2, 3], mop=False)] == [1, 2, 3]
    ready = await request(service.address, "GET", "/ready")
    assert json.loads(ready.body) == {"status": "ready", "processes": 2, "workers": 2}
    page = (await request(service.address, "GET", "/metrics")).body.decode()
    samples = [line for line in page.splitlines() if not line.startswith("#")]
    assert all('worker="1"' in line or 'worker="2"' in line for line in samples)
    assert socket_mode(service) == 0o600
    assert left_in_its_folder(service) == {"lease.json", "s.sock"}


async def test_threads_run_side_by_side_without_batches_and_are_one_batch_with_them(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model("""
        barrier = threading.Barrier(3)
        def inference(self, item):
            return self.barrier.wait(timeout=20) >= 0
    """)
    service = await start(folder, server=GUNICORN, threads=3, batch=BatchPolicy(enabled=False))
    assert await asyncio.gather(*(service.score(n, mop=False) for n in range(3))) == [True] * 3
    await service.stop()

    folder = make_model(
        PASS_GATE + "\ndef inference_batch(self, items):\n    self.pass_gate(len(items))\n    return items\n"
    )
    gate = make_gate(folder)
    service = await start(folder, server=GUNICORN, threads=5)
    calls = [asyncio.create_task(service.score(0, mop=False))]
    assert await gate.entered() == "1"
    calls += [asyncio.create_task(service.score(n, mop=False)) for n in range(1, 4)]

    async def wait_their_turn() -> bool:
        page = (await request(service.address, "GET", "/metrics")).body.decode()  # takes the fifth thread
        return 'mop_service_queue_items{worker="1"} 3' in page

    await reached(wait_their_turn)
    gate.release()
    assert await gate.entered() == "3"
    gate.release()
    assert await asyncio.gather(*calls) == list(range(4))


async def test_a_model_process_past_its_deadline_is_replaced_by_its_worker_and_the_others_live_on(
    make_model: MakeModel, start: StartService
):
    service = await start(make_model(MODEL), server=GUNICORN, workers=2, threads=2, request_deadline_s=1)
    before = {process for worker in workers(service) for process in models(worker)}
    with pytest.raises(RequestDeadlineError, match="within 1 s"):
        await service.score("loop", mop=False)
    with pytest.raises(DeploymentCrashedError, match="exited with code 7"):
        await service.score("exit", mop=False)
    await all_ready(service, 2)
    after = {process for worker in workers(service) for process in models(worker)}
    assert len(after) == 2
    assert 1 <= len(before - after) <= 2
    assert len(workers(service)) == 2
    answers = await asyncio.gather(*(service.score(n, mop=False) for n in range(20)))
    assert [number for _, number in answers] == list(range(20))


async def test_a_worker_that_is_killed_is_replaced_and_its_model_process_ends_with_it(
    make_model: MakeModel, start: StartService
):
    service = await start(make_model(MODEL), server=GUNICORN, workers=2, threads=2)
    killed, other = workers(service)
    (orphan,), (kept,) = models(killed), models(other)
    os.kill(killed, signal.SIGKILL)
    await gone(orphan)

    async def replaced() -> bool:
        return len(workers(service)) == 2 and killed not in workers(service)

    await reached(replaced)
    await all_ready(service, 2)
    assert models(other) == [kept]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_when_the_master_ends_nothing_of_it_lives_on(make_model: MakeModel, start: StartService, how: int):
    service = await start(make_model(MODEL), server=GUNICORN, workers=2, threads=2, request_deadline_s=1)
    looping = asyncio.create_task(service.score("loop", mop=False))
    pids = [*workers(service), *(process for worker in workers(service) for process in models(worker))]
    assert len(pids) == 4
    os.kill(service._front.pid, how)
    await asyncio.gather(*(gone(pid) for pid in pids))
    await asyncio.gather(looping, return_exceptions=True)
    assert looping.exception() is not None


async def test_a_lease_that_is_not_renewed_ends_the_service(make_model: MakeModel, start: StartService):
    service = await start(make_model(MODEL), server=GUNICORN, lease_ttl_s=1)
    pids = [*workers(service), *models(workers(service)[0])]
    await service.renew()
    async with asyncio.timeout(20):
        await service._front.wait()
    await asyncio.gather(*(gone(pid) for pid in pids))
    await service.stop()
    assert "[front] the service stops: its owner did not renew the lease" in service.log_lines(0)


async def test_stop_lets_requests_in_flight_finish_and_abort_does_not(
    make_model: MakeModel, make_gate: MakeGate, start: StartService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local_service, "STOP_GRACE_S", 60.0)  # a busy machine takes seconds until nobody connects
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder, server=GUNICORN)
    call = asyncio.create_task(service.score("last", mop=False))
    await gate.entered()
    stopping = asyncio.create_task(service.stop())

    async def refuses() -> bool:
        try:
            await request(service.address, "GET", "/health")
        except HostLostError:
            return True
        return False

    await reached(refuses)
    gate.release()
    assert await call == "last"
    await stopping

    service = await start(folder, server=GUNICORN)
    pids = models(workers(service)[0])
    call = asyncio.create_task(service.score("in flight", mop=False))
    await gate.entered()
    async with asyncio.timeout(20):
        await service.abort()
    await asyncio.gather(*(gone(pid) for pid in pids))
    await asyncio.gather(call, return_exceptions=True)
    assert call.exception() is not None


async def test_a_caller_who_still_sends_does_not_hold_up_the_end(make_model: MakeModel, start: StartService):
    service = await start(make_model(MODEL), server=GUNICORN, threads=3)
    pids = [*workers(service), *models(workers(service)[0])]
    async with connect(service) as slow, connect(service) as looping:
        slow.send(post(b"[1,", length=100))
        looping.send(post(b'"loop"'))

        async def both_at_work() -> bool:
            page = (await request(service.address, "GET", "/metrics")).body.decode()
            return 'connections{worker="1"} 3' in page and 'in_flight_items{worker="1"} 1' in page

        await reached(both_at_work)
        async with asyncio.timeout(20):
            await service.abort()
        await asyncio.gather(*(gone(pid) for pid in pids))


async def test_a_model_that_fails_in_init_fails_the_service_with_its_place(make_model: MakeModel, start: StartService):
    folder = make_model("def init(self, model_root): raise RuntimeError('no weights')")
    service = await start(folder, server=GUNICORN, workers=2, ready=False)
    with pytest.raises(UserScriptException, match="no weights"):
        await service.wait_ready(30)
    with pytest.raises(UserScriptException):
        await service.score(1, mop=False)


async def test_a_model_that_dies_again_and_again_fails_the_service(make_model: MakeModel, start: StartService):
    service = await start(make_model(MODEL), server=GUNICORN, max_boots=0)
    with pytest.raises(DeploymentCrashedError):
        await service.score("exit", mop=False)
    with pytest.raises(DeploymentCrashedError):
        await service.wait_ready(5)
    with pytest.raises(DeploymentCrashedError):
        await service.score("fine", mop=False)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nlong: " + b"x" * 10_000 + b"\r\n\r\n", 431),
        (b"POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (post(b'"' + b"x" * 3_000_000 + b'"'), 413),
        (post(b"x", length=10**12), 413),
    ],
)
async def test_what_can_not_be_used_is_answered_in_the_form_of_all_errors(
    make_model: MakeModel, start: StartService, sent: bytes, status: int
):
    service = await start(make_model(), server=GUNICORN, max_request_bytes=2_000_000)
    async with connect(service) as caller:
        caller.send(sent)
        answered, headers, body = await caller.answer()
    assert (answered, headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(body)["status"] == status
    with pytest.raises(InvalidRequestError):
        await service.score({"no": "image"}, mop=True)
