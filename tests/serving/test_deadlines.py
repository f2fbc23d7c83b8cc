from __future__ import annotations

import asyncio

import pytest

from mop.errors import DeploymentCrashedError, MopError, RequestDeadlineError
from mop.serving.config import BatchPolicy
from mop.serving.http_client import request
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import gone, metric, model_pids, reached

HANGING = """
def inference(self, item):
    if item == "loop":
        while True: pass
    if item == "hold the interpreter":
        sum(itertools.repeat(0))
    if item == "exit":
        print("on my way out")
        os._exit(7)
    if item == "child":
        import subprocess
        return subprocess.Popen(["sleep", "600"]).pid
    return item
"""


@pytest.mark.parametrize("how", ["loop", "hold the interpreter"])
async def test_a_process_past_its_deadline_is_killed_and_replaced(make_model: MakeModel, start: StartService, how: str):
    service = await start(make_model(HANGING), request_deadline_s=1)
    (pid,) = model_pids(service)
    hanging = asyncio.create_task(service.score(how, mop=False))

    async def handed_over() -> bool:
        return await metric(service, "in_flight_items") == 1

    await reached(handed_over)
    waiting = [asyncio.create_task(service.score(n, mop=False)) for n in range(3)]
    with pytest.raises(RequestDeadlineError, match="within 1 s"):
        await hanging
    assert await asyncio.gather(*waiting) == [0, 1, 2]
    await gone(pid)
    assert await metric(service, "process_boots_total") == 2


async def test_items_beside_a_hanging_one_are_run_again(make_model: MakeModel, start: StartService):
    service = await start(make_model(HANGING), request_deadline_s=1.5, threads=4, batch=BatchPolicy(enabled=False))
    hanging = asyncio.create_task(service.score("hold the interpreter", mop=False))

    async def handed_over(count: int) -> bool:
        return await metric(service, "in_flight_items") == count

    await reached(lambda: handed_over(1))
    beside = asyncio.create_task(service.score("beside", mop=False))
    answers = await asyncio.gather(hanging, beside, return_exceptions=True)
    assert isinstance(answers[0], RequestDeadlineError)
    assert answers[1] == "beside"


async def test_a_hanging_request_answers_504(make_model: MakeModel, start: StartService):
    service = await start(make_model(HANGING), request_deadline_s=0.5)
    answer = await request(service.address, "POST", "/score", body=b'"loop"')
    assert answer.status == 504
    assert b"RequestDeadlineError" in answer.body


async def test_a_request_that_no_process_takes_expires_in_the_queue(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(
        PASS_GATE + "\ndef inference_batch(self, items):\n    self.pass_gate(len(items))\n    return items\n"
    )
    gate = make_gate(folder)
    service = await start(folder, request_deadline_s=1, batch=BatchPolicy(max_size=1))
    calls = [asyncio.create_task(service.score(n, mop=False)) for n in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, RequestDeadlineError) for answer in answers)
    assert any("No model process was free" in str(answer) for answer in answers)
    gate.release(10)


async def test_a_process_that_dies_fails_its_own_requests_and_is_replaced(make_model: MakeModel, start: StartService):
    service = await start(make_model(HANGING))
    with pytest.raises(DeploymentCrashedError, match="exited with code 7 during inference") as caught:
        await service.score("exit", mop=False)
    assert "on my way out" in caught.value.message
    assert await service.score("fine", mop=False) == "fine"
    assert (await request(service.address, "POST", "/score", body=b'"exit"')).status == 502


async def test_a_service_whose_processes_die_again_and_again_fails(make_model: MakeModel, start: StartService):
    service = await start(make_model(HANGING), max_boots=1)
    for _ in range(2):
        with pytest.raises(DeploymentCrashedError):
            await service.score("exit", mop=False)
    with pytest.raises(DeploymentCrashedError):
        await service.wait_ready(5)
    with pytest.raises(MopError):
        await service.score("fine", mop=False)
    assert await metric(service, "process_boots_total") == 2


async def test_what_a_model_started_dies_with_it(make_model: MakeModel, start: StartService):
    service = await start(make_model(HANGING))
    child = await service.score("child", mop=False)
    with pytest.raises(DeploymentCrashedError):
        await service.score("exit", mop=False)
    await gone(child)


async def test_the_other_worker_goes_on_while_one_hangs(make_model: MakeModel, start: StartService):
    service = await start(make_model(HANGING), workers=2, request_deadline_s=15)
    hanging = asyncio.create_task(service.score("loop", mop=False))

    async def handed_over() -> bool:
        return await metric(service, "in_flight_items") == 1

    await reached(handed_over)
    assert await asyncio.gather(*(service.score(n, mop=False) for n in range(50))) == list(range(50))
    assert not hanging.done()
    hanging.cancel()
