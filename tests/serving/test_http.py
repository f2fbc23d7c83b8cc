from __future__ import annotations

import asyncio
import json

import pytest

from mop.errors import QueueFullError, RequestTooLargeError
from mop.serving.http_client import request
from mop.serving_options import ServerMode
from serving.conftest import MakeGate, MakeModel, StartService
from serving.gate import PASS_GATE
from serving.probes import metric, reached

MISTAKES = [
    ("POST", "/score", b"{not json", {}, 400, "not JSON"),
    ("POST", "/score", b"", {}, 400, "not JSON"),
    ("POST", "/score", b'{"score": NaN}', {}, 400, "not JSON"),
    ("POST", "/score", b"\xff\xfe", {}, 400, "not JSON"),
    ("POST", "/score", b"{}", {"x-mop-format": "xml"}, 400, "X-MOP-Format"),
    ("POST", "/score", b'"text"', {"x-mop-format": "mop"}, 400, "JSON object"),
    ("POST", "/score", b"{}", {"x-mop-format": "mop"}, 400, "not a MOP input"),
    ("POST", "/score", b"{}", {"content-type": "text/plain"}, 415, "application/json"),
    ("POST", "/score", b"{}", {"content-encoding": "gzip"}, 415, "compressed"),
    ("GET", "/score", b"", {}, 405, "takes POST"),
    ("POST", "/ready", b"{}", {}, 405, "takes GET"),
    ("GET", "/ready?wait=soon", b"", {}, 400, "seconds"),
    ("GET", "/elsewhere", b"", {}, 404, "/score"),
    ("POST", "/score", b'"' + b"x" * 2000 + b'"', {}, 413, "the limit is 1000"),
]


@pytest.mark.parametrize("server", ServerMode)
async def test_a_clients_mistake_is_4xx_with_its_reason(make_model: MakeModel, start: StartService, server: ServerMode):
    service = await start(make_model(), server=server, max_request_bytes=1000)
    for method, path, body, headers, status, reason in MISTAKES:
        answer = await request(service.address, method, path, body=body, headers=headers)
        problem = json.loads(answer.body)
        assert (answer.status, problem["status"]) == (status, status), (path, body[:20], headers)
        assert reason in problem["message"]
        assert problem["name"] in {"InvalidRequestError", "RequestTooLargeError"}
        assert set(problem) >= {"type", "title", "hint", "place"}


async def test_a_body_without_an_announced_length_is_limited_too(make_model: MakeModel, start: StartService):
    service = await start(make_model(), max_request_bytes=1000)
    reader, writer = await asyncio.open_unix_connection(service.address.removeprefix("unix:"))
    writer.write(b"POST /score HTTP/1.1\r\nhost: s\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000)
    assert b" 413 " in await reader.readline()
    writer.close()


async def test_over_the_queue_limit_callers_get_429_and_requests_in_flight_stay_bounded(
    make_model: MakeModel, make_gate: MakeGate, start: StartService
):
    folder = make_model(
        PASS_GATE + "\ndef inference_batch(self, items):\n    self.pass_gate(len(items))\n    return items\n"
    )
    gate = make_gate(folder)
    service = await start(folder, queue_limit=5)
    first = asyncio.create_task(service.score(0, mop=False))
    await gate.entered()
    rest = [asyncio.create_task(service.score(n, mop=False)) for n in range(1, 6)]

    async def full() -> bool:
        return await metric(service, "queue_items") == 5

    await reached(full)
    assert await metric(service, "in_flight_items") == 1
    refused = await request(service.address, "POST", "/score", body=b"6")
    assert refused.status == 429
    with pytest.raises(QueueFullError):
        await service.score(7, mop=False)
    with pytest.raises(RequestTooLargeError, match="6 items"):
        await service.score([0] * 6, mop=False)
    gate.release(2)
    assert await asyncio.gather(first, *rest) == [0, 1, 2, 3, 4, 5]
    assert await metric(service, 'requests_total{code="429"}') == 2


async def test_429_says_when_to_come_back(make_model: MakeModel, make_gate: MakeGate, start: StartService):
    folder = make_model(
        PASS_GATE + "\ndef inference_batch(self, items):\n    self.pass_gate(len(items))\n    return items\n"
    )
    gate = make_gate(folder)
    service = await start(folder, queue_limit=1)
    first = asyncio.create_task(service.score(0, mop=False))
    await gate.entered()
    second = asyncio.create_task(service.score(1, mop=False))

    async def full() -> bool:
        return await metric(service, "queue_items") == 1

    await reached(full)
    reader, writer = await asyncio.open_unix_connection(service.address.removeprefix("unix:"))
    writer.write(b"POST /score HTTP/1.1\r\nhost: s\r\ncontent-length: 1\r\n\r\n1")
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    writer.close()
    assert b"retry-after: 1" in head
    assert b"application/problem+json" in head
    gate.release(2)
    assert [await first, await second] == [0, 1]


async def test_health_ready_and_metrics_answer(make_model: MakeModel, start: StartService):
    service = await start(make_model(), workers=2)
    assert (await request(service.address, "GET", "/health")).status == 200
    ready = await request(service.address, "GET", "/ready")
    assert json.loads(ready.body) == {"status": "ready", "processes": 2, "workers": 2}
    await service.score({}, mop=False)
    page = (await request(service.address, "GET", "/metrics")).body.decode()
    assert 'mop_service_requests_total{code="200"} 1' in page
    assert "mop_service_request_seconds_count 1" in page
    assert "mop_service_ready_processes 2" in page


async def test_an_empty_list_is_an_empty_answer(make_model: MakeModel, start: StartService):
    assert await (await start(make_model())).score([], mop=False) == []


@pytest.mark.parametrize("server", ServerMode)
async def test_a_service_can_listen_on_a_port(make_model: MakeModel, start: StartService, server: ServerMode):
    service = await start(make_model(), server=server, port=0)
    assert service.address.startswith("http://127.0.0.1:")
    assert await service.score(1, mop=False) == {"echo": 1}


async def test_the_front_stays_small(make_model: MakeModel, start: StartService):
    service = await start(make_model(), workers=2)
    await asyncio.gather(*(service.score({"n": n}, mop=False) for n in range(200)))
    assert resident_mb(service._front.pid) < 60


def resident_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - a test reads procfs
        return int(status.read().partition("VmHWM:")[2].split()[0]) / 1024
