from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mop.errors import UserScriptException
from mop.serving.config import BatchPolicy
from mop.serving.local_service import LocalService
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import metric, model_pids, reached

GATED = (
    PASS_GATE
    + """
def inference_batch(self, items):
    self.pass_gate(len(items))
    if any("bad" in item for item in items):
        raise ValueError("a bad item")
    return [dict(item, batch=len(items)) for item in items]
"""
)


async def queued(service: LocalService, count: int) -> None:
    async def all_wait() -> bool:
        return await metric(service, "queue_items") == count

    await reached(all_wait)


async def test_items_that_wait_while_the_model_works_leave_as_one_batch(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder)
    first = asyncio.create_task(service.score({"n": 0}, mop=False))
    assert await gate.entered() == "1"
    rest = [asyncio.create_task(service.score({"n": n}, mop=False)) for n in range(1, 20)]
    await queued(service, 7)
    assert await metric(service, "in_flight_items") == 13  # a full batch stands in reserve behind the first
    gate.release(3)
    answers = await asyncio.gather(first, *rest)
    assert [answer["n"] for answer in answers] == list(range(20))
    assert [answer["batch"] for answer in answers].count(12) == 12
    assert await gate.entered() == "12"


async def test_one_bad_item_fails_alone(make_model: MakeModel, make_gate: MakeGate, start: StartService):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder)
    first = asyncio.create_task(service.score({"n": 0}, mop=False))
    await gate.entered()
    items = [{"n": n} for n in range(1, 6)]
    items[2] = {"bad": True}
    rest = [asyncio.create_task(service.score(item, mop=False)) for item in items]
    await queued(service, 5)
    gate.release(20)
    answers = await asyncio.gather(first, *rest, return_exceptions=True)
    assert [type(answer) for answer in answers] == [dict, dict, dict, UserScriptException, dict, dict]
    assert "a bad item" in str(answers[3])


async def test_the_format_travels_with_the_item(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    calls = [service.score({"text": str(n)}, mop=n % 2 == 0) for n in range(240)]
    answers = await asyncio.gather(*calls)
    for n, answer in enumerate(answers):
        assert ("predicted_labels" in answer) == (n % 2 == 0)
        assert n % 2 == 0 or answer == {"echo": {"text": str(n)}}


async def test_a_long_list_is_split_into_batches_of_the_maximum_size(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference_batch(self, items): return [[item, len(items)] for item in items]"))
    answers = await service.score(list(range(1000)), mop=False)
    assert [item for item, _ in answers] == list(range(1000))
    assert {size for _, size in answers} <= set(range(1, 13))


async def test_without_batching_no_batch_is_made_and_threads_run_side_by_side(
    make_model: MakeModel, start: StartService
):
    folder = make_model("""
        barrier = threading.Barrier(4)
        def inference(self, item):
            return self.barrier.wait(timeout=20) >= 0
        def inference_batch(self, items):
            raise RuntimeError("must not be called")
    """)
    service = await start(folder, threads=4, batch=BatchPolicy(enabled=False))
    assert await service.score([1, 2, 3, 4], mop=False) == [True] * 4
    assert await metric(service, 'batch_size_bucket{le="1"}') == 4


async def test_a_caller_that_gave_up_is_dropped_before_the_model_sees_it(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(GATED)
    gate = make_gate(folder)
    service = await start(folder)
    first = asyncio.create_task(service.score({"n": 0}, mop=False))
    await gate.entered()
    given_up = asyncio.create_task(service.score([{"n": 1}, {"n": 2}], mop=False))
    await queued(service, 2)
    given_up.cancel()
    await queued(service, 0)
    last = asyncio.create_task(service.score({"n": 3}, mop=False))
    await queued(service, 1)
    gate.release(2)
    assert await first == {"n": 0, "batch": 1}
    assert await last == {"n": 3, "batch": 1}
    assert await metric(service, "abandoned_items_total") == 2


async def test_steady_clients_are_not_split_into_groups_that_take_turns(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference_batch(self, items):
            time.sleep(0.02)
            return [len(items)] * len(items)
    """)
    service = await start(folder)

    async def client() -> list[int]:
        reader, writer = await asyncio.open_unix_connection(service.address.removeprefix("unix:"))
        sizes = []
        for _ in range(50):
            writer.write(b"POST /score HTTP/1.1\r\nhost: s\r\ncontent-length: 2\r\n\r\n{}")
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            sizes.append(int(await reader.readexactly(size)))
        writer.close()
        return sizes

    async def handed_over() -> bool:
        return await metric(service, "in_flight_items") > 0

    clients = [asyncio.create_task(client()) for _ in range(4)]
    await reached(handed_over)
    clients += [asyncio.create_task(client()) for _ in range(4)]
    sizes = [size for answers in await asyncio.gather(*clients) for size in answers[20:45]]
    assert sum(sizes) / len(sizes) > 6.5  # two groups that take turns make it 4


async def test_an_idle_service_does_not_wake_up(make_model: MakeModel, start: StartService):
    service = await start(make_model(), batch=BatchPolicy(max_interval_s=0.002))
    await service.score({}, mop=False)
    pids = [service._front.pid, *model_pids(service)]
    before = sum(map(wakeups, pids))
    await asyncio.sleep(1)  # the measured second of idleness
    assert sum(map(wakeups, pids)) - before < 5


def wakeups(pid: int) -> int:
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        total += int(status.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return total


@pytest.mark.parametrize("ending", ["sys.exit(1)", "raise KeyboardInterrupt", "raise GeneratorExit"])
@pytest.mark.parametrize("batching", [True, False])
async def test_an_exit_in_the_models_code_ends_no_thread(
    make_model: MakeModel, start: StartService, ending: str, *, batching: bool
):
    folder = make_model(f"""
        def inference(self, item):
            if item == "exit": {ending}
            return item
    """)
    service = await start(folder, threads=2, batch=BatchPolicy(enabled=batching))
    for _ in range(4):
        with pytest.raises(UserScriptException, match=r"src/inference.py line \d+ raised"):
            await service.score("exit", mop=False)
    assert await service.score("fine", mop=False) == "fine"
    assert await metric(service, "process_boots_total") == 1
