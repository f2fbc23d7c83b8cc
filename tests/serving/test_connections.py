"""HTTP/1.1 as callers may speak it, well or badly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from mop.serving.http_connection import LARGEST_HEAD_BYTES, PARSED_AT_ONCE
from mop.serving.local_service import LocalService
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import metric, reached


@dataclass
class Caller:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return int(head[0].split(" ")[1]), headers, body

    async def rest(self) -> bytes:
        """What comes until the service closes the connection."""
        async with asyncio.timeout(20):
            try:
                return await self.reader.read()
            except ConnectionError:  # it closed while more was on its way
                return b""


@asynccontextmanager
async def connect(service: LocalService) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_unix_connection(service.address.removeprefix("unix:"))
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


def post(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    size = b"content-length: %d" % (len(body) if length is None else length)
    return b"\r\n".join([b"POST /score HTTP/1.1", b"host: s", size, *headers, b"", body])


async def test_requests_that_were_sent_ahead_are_answered_in_order(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference_batch(self, items): return items"))
    async with connect(service) as caller:
        caller.send(b"".join(post(b"%d" % number) for number in range(300)))
        assert [(await caller.answer())[2] for _ in range(300)] == [b"%d" % number for number in range(300)]
        caller.send(b"GET /health HTTP/1.1\r\n\r\n" * 3000 + b"GET /elsewhere HTTP/1.1\r\n\r\n" + post(b"1"))
        statuses = [(await caller.answer())[0] for _ in range(3002)]
        assert statuses == [200] * 3000 + [404, 200]


async def test_a_request_may_come_in_any_pieces(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    request = post(b'{"text": "in pieces"}', b"content-type: application/json")
    async with connect(service) as caller:
        for start_of_part in range(0, len(request), 7):
            caller.send(request[start_of_part : start_of_part + 7])
            await asyncio.sleep(0)
        assert (await caller.answer())[2] == b'{"echo":{"text":"in pieces"}}'
        caller.send(b"POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")
        assert (await caller.answer())[2] == b'[{"echo":1},{"echo":2}]'


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /score HTTP/1.1\r\ncontent-length: many\r\n\r\n", 400),
        (b"POST /score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /health HTTP/1.1\r\nlong: " + b"x" * (LARGEST_HEAD_BYTES + 2 * PARSED_AT_ONCE), 431),
        (post(b"x" * 2000), 413),
        (post(b"x", length=10**12), 413),
    ],
)
async def test_what_can_not_be_understood_is_answered_and_the_connection_closed(
    make_model: MakeModel, start: StartService, sent: bytes, status: int
):
    service = await start(make_model(), max_request_bytes=1000)
    async with connect(service) as caller:
        caller.send(post(b"1") + sent)
        assert (await caller.answer())[0] == 200
        answered, headers, body = await caller.answer()
        assert (answered, headers["connection"]) == (status, "close")
        assert b'"message"' in body
        with contextlib.suppress(ConnectionError):  # closed by the service already
            caller.writer.write_eof()
        assert await caller.rest() == b""
    assert await metric(service, "connections") == 1


async def test_other_ways_to_say_the_same(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    async with connect(service) as caller:
        caller.send(b"HEAD /health HTTP/1.1\r\n\r\n")
        head = (await caller.reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 200")
        caller.send(post(b"", b"expect: 100-continue", length=2))
        assert (await caller.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        caller.send(b"{}")
        assert (await caller.answer())[2] == b'{"echo":{}}'
        caller.send(b"GET /health HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
        assert (await caller.answer())[2] == b'{"status":"alive"}'
        caller.send(post(b"1"))
        assert (await caller.answer())[2] == b'{"echo":1}'
    async with connect(service) as caller:
        caller.send(b"GET /health HTTP/1.0\r\n\r\n")
        assert (await caller.rest()).endswith(b'connection: close\r\n\r\n{"status":"alive"}')


async def test_connections_over_the_limit_get_503_and_far_over_it_nothing(make_model: MakeModel, start: StartService):
    service = await start(make_model(), max_connections=2)
    async with connect(service) as first, connect(service) as second:
        for caller in (first, second):
            caller.send(post(b"1"))
            assert (await caller.answer())[0] == 200
        async with connect(service) as third, connect(service) as fourth:
            async with connect(service) as fifth:
                assert await fifth.rest() == b""
            for caller in (third, fourth):
                caller.send(post(b"1"))
                status, headers, body = await caller.answer()
                assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
                assert b"TooManyConnectionsError" in body
            first.send(post(b"2"))
            assert (await first.answer())[2] == b'{"echo":2}'


async def test_a_caller_who_leaves_frees_its_place_before_and_after_its_request_is_complete(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(
        PASS_GATE + "\ndef inference_batch(self, items):\n    self.pass_gate(len(items))\n    return items\n"
    )
    gate = make_gate(folder)
    service = await start(folder)
    async with connect(service) as caller:
        caller.send(post(b"1"))
        await gate.entered()
        async with connect(service) as halfway, connect(service) as waiting:
            halfway.send(post(b"[1,", length=100))
            waiting.send(post(b"2"))

            async def queued() -> bool:
                return await metric(service, "queue_items") == 1

            await reached(queued)

        async def alone() -> bool:
            return await metric(service, "connections") == 2 and await metric(service, "queue_items") == 0

        await reached(alone)
        gate.release()
        assert (await caller.answer())[2] == b"1"
    assert await metric(service, "abandoned_items_total") == 1
    assert await metric(service, 'requests_total{code="499"}') == 1


async def test_what_is_no_request_is_refused_once_however_much_follows_it_at_once(
    make_model: MakeModel, start: StartService
):
    service = await start(make_model("def inference_batch(self, items): return items"))
    async with connect(service) as caller:
        caller.send(b"POST /score HTTP/1.1\r\nno header\r\n\r\n" + b"a" * 4 * PARSED_AT_ONCE)
        assert (await caller.answer())[0] == 400
        assert await caller.rest() == b""


async def test_a_body_that_comes_with_its_head_is_read_whole_and_so_is_the_request_behind_it(
    make_model: MakeModel, start: StartService
):
    service = await start(make_model("def inference_batch(self, items): return [len(item) for item in items]"))
    async with connect(service) as caller:
        sizes = [10, PARSED_AT_ONCE - 100, PARSED_AT_ONCE, 3 * PARSED_AT_ONCE, 1]
        caller.send(b"".join(post(b'"%b"' % (b"a" * size)) for size in sizes))
        assert [int((await caller.answer())[2]) for _ in sizes] == sizes
