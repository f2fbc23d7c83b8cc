"""Several batches of one list in one frame: what the model gets, what is answered, and what ends it."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest

import mop_utils
from mop.errors import DeploymentCrashedError, InvalidModelOutputError, UserScriptException, from_dict
from mop.serving.calls import Batch, Call
from mop.serving.config import BatchPolicy
from mop.serving.frames import read_listed, read_result, series_frame
from mop.serving.http_client import Response, request
from mop.serving.local_service import LocalService
from mop.serving.model_process import AT_WORK, LISTED, MODEL_FORMAT, MOP_FORMAT, READY, RESULT
from mop.serving.waiting_items import WaitingItems
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import metric, reached
from serving.test_model_process import Connect, Peer, connect, interpreters

__all__ = ["connect"]  # a fixture

POLICY = BatchPolicy(max_size=4)
LEARNED = 20  # quick lists, after which a slow first one is forgotten
ECHO = """
    def inference_batch(self, items):
        print("got", len(items))
        if "exit" in items:
            os._exit(3)
        if "raise" in items:
            raise ValueError("no")
        return items
"""


def series(peer: Peer, *items: Any, form: int = MODEL_FORMAT, most: int = 4) -> tuple[int, list[tuple[bool, Any]]]:
    """The kind of the answer, and what became of each item."""
    bodies = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in items]
    peer._socket.sendall(b"".join(series_frame(7, form, bodies, most=most)))
    kind, body = peer.frame()
    number, answers = read_listed(memoryview(body)) if kind == LISTED else read_result(memoryview(body))
    assert number == 7
    each = answers if isinstance(answers, list) else answers.each()
    return kind, [(succeeded, json.loads(answer)) for succeeded, answer in each]


async def ask(service: LocalService, items: list[Any]) -> Response:
    headers = {"x-mop-pace": "series"}
    return await request(service.address, "POST", "/score", body=orjson.dumps(items), headers=headers)


async def outputs(service: LocalService, items: list[Any]) -> Any:
    """What the service answers to a list that may go in series, once it has learned that the model is quick.

    On a machine that makes the model slow the list goes batch by batch, and what is answered is the same.
    """
    for _ in range(LEARNED):
        assert (await ask(service, ["quick"] * 4)).status == 200
    return orjson.loads((await ask(service, items)).body)


@pytest.mark.parametrize("python", interpreters())
def test_every_supported_python_answers_a_series_batch_by_batch(make_model: MakeModel, connect: Connect, python: str):
    folder = make_model(ECHO)
    (folder / "src" / "mop_utils").symlink_to(Path(mop_utils.__file__).parent)
    peer = connect(folder, python=python)
    assert peer.frame()[0] == READY
    items = [{"n": 1.5}, "ä\u2028😀", [1, [2]], None, True, "", {"": -0.0}, -(2**63), 2**64 - 1, 1e300]
    assert series(peer, *items) == (LISTED, [(True, item) for item in items])
    assert [line for line in peer.close()[1].splitlines() if line.startswith("got")] == ["got 4", "got 4", "got 2"]


def test_an_item_that_raises_in_a_series_fails_alone(make_model: MakeModel, connect: Connect):
    peer = connect(make_model(ECHO))
    assert peer.frame()[0] == READY
    kind, answers = series(peer, *range(5), "raise", *range(6, 10))
    assert kind == RESULT
    assert [value for succeeded, value in answers if succeeded] == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert answers[5][1]["name"] == "UserScriptException"


def test_an_item_of_a_series_as_deep_as_the_front_takes_reaches_the_model(make_model: MakeModel, connect: Connect):
    peer = connect(
        make_model("""
        def inference(self, item):
            depth = 0
            while isinstance(item, list):
                depth, item = depth + 1, item[0] if item else None
            return depth
        """)
    )
    assert peer.frame()[0] == READY
    deep = b"[" * 1000 + b"]" * 1000
    assert series(peer, 0, deep, [2]) == (LISTED, [(True, 0), (True, 1000), (True, 1)])


def test_an_output_that_is_no_json_fails_alone_among_others_of_the_same_object(make_model: MakeModel, connect: Connect):
    peer = connect(
        make_model("""
        def inference_batch(self, items):
            shared = {"same": [1]}
            circle = [shared]
            circle.append(circle)
            return [circle if item == "circle" else {1: {2, 3}} if item == "set" else shared for item in items]
        """)
    )
    assert peer.frame()[0] == READY
    kind, answers = series(peer, 1, "circle", 2, "set", 3, 4)
    assert (kind, [succeeded for succeeded, _ in answers]) == (RESULT, [True, False, True, False, True, True])
    assert [value for succeeded, value in answers if succeeded] == [{"same": [1]}] * 4


def test_mop_inputs_of_a_series_go_through_the_converters_one_by_one(make_model: MakeModel, connect: Connect):
    peer = connect(
        make_model("""
        def inference(self, item): return item["text"]
        def convert_model_output_to_mop_output(self, output): return {"of": output}
        """)
    )
    assert peer.frame()[0] == READY
    texts = [{"text": str(number)} for number in range(6)]
    assert series(peer, *texts, form=MOP_FORMAT) == (LISTED, [(True, {"of": one["text"]}) for one in texts])
    _, answers = series(peer, {"text": "a"}, {}, 3, {"text": "b"}, {"text": "c"}, form=MOP_FORMAT)
    assert [succeeded for succeeded, _ in answers] == [True, False, False, True, True]
    assert {answer["name"] for succeeded, answer in answers if not succeeded} == {"InvalidRequestError"}


def test_the_front_is_told_that_a_slow_series_goes_on(make_model: MakeModel, connect: Connect):
    peer = connect(make_model("def inference_batch(self, items): time.sleep(0.06); return items"))
    assert peer.frame()[0] == READY
    peer._socket.sendall(b"".join(series_frame(7, MODEL_FORMAT, [b"1"] * 9, most=4)))
    kinds = [peer.frame() for _ in range(4)]
    assert [kind for kind, _ in kinds] == [AT_WORK, AT_WORK, AT_WORK, LISTED]
    assert kinds[0][1] == struct.pack(">I", 7)


def test_the_front_is_told_that_slow_conversions_of_a_series_go_on(make_model: MakeModel, connect: Connect):
    peer = connect(
        make_model("""
        def convert_mop_input_to_model_input(self, mop_input): time.sleep(0.03); return mop_input.text
        def inference_batch(self, items): return items
        def convert_model_output_to_mop_output(self, output): time.sleep(0.03); return output
        """)
    )
    assert peer.frame()[0] == READY
    peer._socket.sendall(b"".join(series_frame(7, MOP_FORMAT, [b'{"text":"a"}'] * 8, most=4)))
    assert [peer.frame()[0] for _ in range(5)] == [AT_WORK, AT_WORK, AT_WORK, AT_WORK, LISTED]


async def test_a_list_of_a_quick_model_is_handed_over_at_once_and_answered_in_order(
    make_model: MakeModel, start: StartService
):
    service = await start(make_model(ECHO), batch=POLICY)
    assert await outputs(service, list(range(50))) == list(range(50))
    assert await metric(service, 'batch_size_bucket{le="4"}') == LEARNED + 13  # the metric tells what the model gets
    assert await metric(service, "batch_size_sum") == 4 * LEARNED + 50


async def test_an_output_of_a_series_that_is_no_strict_json_fails_with_its_place(
    make_model: MakeModel, start: StartService
):
    folder = make_model("""
        def inference(self, item):
            return "\\ud800" if item == 9 else item
    """)
    service = await start(folder, batch=POLICY)
    found = from_dict(await outputs(service, list(range(20))))
    assert isinstance(found, InvalidModelOutputError)
    assert found.place == "item 9"
    assert await outputs(service, list(range(9))) == list(range(9))


async def test_an_item_of_a_series_that_raises_is_named(make_model: MakeModel, start: StartService):
    service = await start(make_model(ECHO), batch=POLICY)
    found = from_dict(await outputs(service, [*range(30), "raise", *range(9)]))
    assert isinstance(found, UserScriptException)
    assert (found.place or "").startswith("item 30")


async def test_a_process_that_ends_in_a_series_is_replaced(make_model: MakeModel, start: StartService):
    service = await start(make_model(ECHO), batch=POLICY)
    assert isinstance(from_dict(await outputs(service, [*range(30), "exit"])), DeploymentCrashedError)
    assert await outputs(service, list(range(40))) == list(range(40))
    assert await metric(service, "process_boots_total") == 2


async def test_the_deadline_is_that_of_one_call_and_not_of_the_series(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference_batch(self, items):
            time.sleep(0.7 if "slow" in items else 0)
            return items
    """)
    service = await start(folder, batch=POLICY, request_deadline_s=3)
    items = ["slow"] * 20  # five calls of 0.7 s each
    assert await outputs(service, items) == items
    assert await metric(service, "process_boots_total") == 1


@pytest.mark.parametrize(
    "frame",
    ['struct.pack(">IBI", 5, 9, 1)', 'struct.pack(">IBIHI", 14, 8, 1, 1, 1) + b"[1]"'],
    ids=["another batch begins", "listed outputs"],
)
async def test_words_about_a_series_for_what_is_none_cost_the_process_its_life(
    make_model: MakeModel, start: StartService, frame: str
):
    folder = make_model(f"""
        def inference(self, item):
            import struct
            for name in os.listdir("/proc/self/fd"):
                if int(name) > 2 and os.readlink("/proc/self/fd/" + name).startswith("socket:"):
                    os.write(int(name), {frame})
            time.sleep(60)
    """)
    service = await start(folder)
    with pytest.raises(DeploymentCrashedError, match="channel"):
        await service.score("x", mop=False)


async def test_a_series_that_waited_behind_what_ended_its_process_is_run_again(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(
        PASS_GATE
        + """
def inference_batch(self, items):
    if items == ["gate"]:
        self.pass_gate("gate")
        os._exit(5)
    return items
"""
    )
    gate = make_gate(folder)
    service = await start(folder, batch=POLICY)
    await outputs(service, list(range(8)))
    one = asyncio.create_task(service.score(["gate"], mop=False))
    await gate.entered()
    many = asyncio.create_task(ask(service, list(range(40))))

    async def is_handed_over() -> bool:
        return await metric(service, "in_flight_items") > 1

    await reached(is_handed_over)
    gate.release()
    with pytest.raises(DeploymentCrashedError):
        await one
    assert orjson.loads((await many).body) == list(range(40))


def call(count: int, *, in_series: bool = True) -> Call:
    return Call([b"x" * 10] * count, MODEL_FORMAT, listed=True, on_done=lambda _: None, in_series=in_series)


def test_a_series_is_of_one_call_and_of_so_many_items_and_bytes():
    queue, first, second = WaitingItems(), call(10), call(10)
    queue.add(first, 100)
    queue.add(second, 100)
    assert queue.take_series(8, 1000) == [(first, index) for index in range(8)]
    assert queue.take_series(8, 1000) == [(first, 8), (first, 9)]
    assert queue.take_series(8, 35) == [(second, 0), (second, 1), (second, 2)]
    assert queue.take_series(8, 5) == [(second, 3)]
    assert (queue.count, queue.size) == (6, 60)
    second.give_up()
    assert queue.take_series(8, 5) == []


def test_a_series_goes_on_no_more_often_than_its_batches_have_parts():
    batch = Batch([(call(10), index) for index in range(10)], series_of=4)
    assert (batch.count, batch.sizes()) == (3, [4, 4, 2])
    assert [batch.go_on(1.0) for _ in range(10)] == [True] * 9 + [False]
    assert not Batch([(call(4), 0)]).go_on(1.0)


def test_a_table_that_does_not_fit_the_listed_outputs_is_refused():
    head = struct.pack(">IHII", 1, 2, 1, 1)
    assert [body for _, body in read_listed(memoryview(head + b"[1,2]"))[1].each()] == [b"1", b"2"]
    for body in (head + b"[1,22]", head + b"[1]", head[:9], b""):
        with pytest.raises(ValueError, match=r"table|unpack"):
            read_listed(memoryview(body))
