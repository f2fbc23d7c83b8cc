"""Bodies of images: whole, bounded, checked, and not kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random

import pytest

from mop.serving.config import BatchPolicy
from mop.serving.http_client import request
from mop.serving.local_service import LocalService
from mop.serving_options import ServerMode
from serving.conftest import MakeModel, StartService
from serving.probes import metric, reached
from serving.test_connections import connect, post
from serving.test_http import resident_mb

LIMIT = 3_000_000
DIGEST = """
def inference(self, item):
    import hashlib
    return [len(item["image"]), hashlib.sha256(item["image"].encode()).hexdigest()]
"""


def image_body(size: int) -> bytes:
    """JSON of `size` bytes with a text that is different everywhere."""
    room = size - len('{"image":"é"}'.encode())
    text = random.Random(size).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ+/", k=room)  # noqa: S311 - the same every time
    return ('{"image":"é' + "".join(text) + '"}').encode()


def expected(body: bytes) -> list[object]:
    image = json.loads(body)["image"]
    return [len(image), hashlib.sha256(image.encode()).hexdigest()]


@pytest.mark.parametrize("server", ServerMode)
@pytest.mark.parametrize("batching", [True, False])
async def test_a_body_up_to_the_limit_arrives_as_it_was_sent_and_one_byte_more_is_413(
    make_model: MakeModel, start: StartService, server: ServerMode, *, batching: bool
):
    batch = BatchPolicy(enabled=batching)
    service = await start(make_model(DIGEST), server=server, max_request_bytes=LIMIT, batch=batch)
    bodies = [image_body(size) for size in (300_000, 1 << 16, (1 << 16) + 1, 1_000_000, LIMIT)]
    answers = await asyncio.gather(*(request(service.address, "POST", "/score", body=body) for body in bodies))
    assert [json.loads(answer.body) for answer in answers] == [expected(body) for body in bodies]
    listed = b"[" + bodies[0] + b"," + bodies[1] + b"]"
    answer = await request(service.address, "POST", "/score", body=listed)
    assert json.loads(answer.body) == [expected(bodies[0]), expected(bodies[1])]
    assert (await request(service.address, "POST", "/score", body=image_body(LIMIT + 1))).status == 413


@pytest.mark.parametrize("size", [777, 4096, 70_000, 300_000])
async def test_a_large_body_may_come_in_any_pieces_and_be_followed_by_the_next_request(
    make_model: MakeModel, start: StartService, size: int
):
    service = await start(make_model(DIGEST))
    bodies = [image_body(400_000 + number) for number in range(3)]
    parts = [bodies[2][at : at + size] for at in range(0, len(bodies[2]), size)]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    sent = post(bodies[0]) + post(bodies[1]) + b"POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + chunked
    async with connect(service) as caller:
        for at in range(0, len(sent), size):
            caller.send(sent[at : at + size])
            await caller.writer.drain()
        answers = [json.loads((await caller.answer())[2]) for _ in bodies]
    assert answers == [expected(body) for body in bodies]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"image": "' + b"x" * 100_000, "not JSON"),
        (b'{"score": NaN, "image": "' + b"x" * 100_000 + b'"}', "NaN"),
        (b'{"image": "' + b"x" * 100_000 + b'"} {}', "not JSON"),
        (b'  [1, {"image": "' + b"x" * 100_000 + b'"}', "not JSON"),
        (b'{"image": "\xff' + b"x" * 100_000 + b'"}', "utf-8"),
    ],
)
async def test_what_is_wrong_with_a_large_body_is_told_and_harms_no_other(
    make_model: MakeModel, start: StartService, body: bytes, reason: str
):
    service = await start(make_model())
    good = [service.score(n, mop=False) for n in range(5)]
    answer, *others = await asyncio.gather(request(service.address, "POST", "/score", body=body), *good)
    assert answer.status == 400
    assert reason in json.loads(answer.body)["message"]
    assert others == [{"echo": n} for n in range(5)]
    assert await metric(service, "process_boots_total") == 1


async def test_bodies_that_come_in_are_bounded_together(make_model: MakeModel, start: StartService):
    service = await start(make_model(), max_request_bytes=1_000_000, queue_bytes_limit=1_500_000)
    async with connect(service) as first, connect(service) as second:
        first.send(post(b'"' + b"x" * 900_000, length=900_002))

        async def received() -> bool:
            return await metric(service, "receiving_bytes") == 900_001

        await reached(received)
        second.send(post(b'"' + b"x" * 900_000, length=900_002))
        status, headers, body = await second.answer()
        assert (status, headers["connection"]) == (429, "close")
        assert int(headers["retry-after"]) >= 1
        assert b"QueueFullError" in body
        first.send(b'"')
        assert (await first.answer())[0] == 200
    await reached(lambda: nothing_received(service))


async def nothing_received(service: LocalService) -> bool:
    return await metric(service, "receiving_bytes") == 0


async def test_bodies_do_not_stay_in_memory(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference(self, item): return len(item)"))
    body = b'"' + b"x" * 1_000_000 + b'"'
    async with connect(service) as caller:
        for _ in range(60):
            caller.send(post(body))
            assert (await caller.answer())[2] == b"1000000"
    assert resident_mb(service._front.pid) < 60
