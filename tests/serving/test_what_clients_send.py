"""HTTP as stock clients speak it: offers of HTTP/2, absolute targets, HEAD; with curl, httpx and aiohttp."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import httpx
import pytest

from mop.serving.local_service import LocalService
from mop.serving_options import ServerMode
from serving.conftest import MakeModel, StartService
from serving.test_connections import Caller, connect, post

OFFER = (
    b"connection: Upgrade, HTTP2-Settings",
    b"upgrade: h2c",
    b"http2-settings: AAMAAABkAAQAoAAAAAIAAAAA",
)
BODY = b'{"text":"awful day"}'
ECHO = b'{"echo":{"text":"awful day"}}'
BOTH = pytest.mark.parametrize("server", ServerMode)


def path_of(service: LocalService) -> str:
    return service.address.removeprefix("unix:")


def offered(body: bytes, *headers: bytes, chunked: bool) -> tuple[bytes, bytes]:
    """Head and body of a request that offers HTTP/2."""
    framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(body)
    head = b"\r\n".join([b"POST /score HTTP/1.1", b"host: s", *OFFER, *headers, framing, b"", b""])
    return head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body


@BOTH
@pytest.mark.parametrize("chunked", [False, True])
async def test_an_offer_of_http2_is_ignored_and_the_request_answered(
    make_model: MakeModel, start: StartService, server: ServerMode, *, chunked: bool
):
    service = await start(make_model(), server=server)
    head, body = offered(BODY, chunked=chunked)
    pieces = [
        [head + body],
        [head, body],
        [head[:20], head[20:] + body[:5], body[5:]],
        [bytes([byte]) for byte in head + body],
    ]
    for parts in pieces:
        async with connect(service) as caller:
            for part in parts:
                caller.send(part)
                await caller.writer.drain()
                await asyncio.sleep(0)
            status, headers, answer = await caller.answer()
            assert (status, answer) == (200, ECHO)
            assert headers.get("connection", "keep-alive") == "keep-alive"
            caller.send(post(b"1"))  # the connection stays what it was
            assert (await caller.answer())[2] == b'{"echo":1}'


async def test_offers_that_were_sent_ahead_are_answered_in_order(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference_batch(self, items): return items"))
    async with connect(service) as caller:
        for chunked in (False, True):
            caller.send(b"".join(b"".join(offered(b"%d" % number, chunked=chunked)) for number in range(300)))
            assert [(await caller.answer())[2] for _ in range(300)] == [b"%d" % number for number in range(300)]
        caller.send(b"GET /health HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" * 300 + post(b"1"))
        assert [(await caller.answer())[0] for _ in range(301)] == [200] * 301


@pytest.mark.parametrize(
    ("headers", "sent", "status"),
    [
        ([b"content-length: 1", b"content-length: 2"], b"12", 400),
        ([b"content-length: 1", b"transfer-encoding: chunked"], b"1\r\n1\r\n0\r\n\r\n", 400),
        ([b"transfer-encoding: gzip"], b"1\r\n1\r\n0\r\n\r\n", 400),
        ([b"transfer-encoding: chunked"], b"zz\r\n", 400),
        ([b"content-length: 2000"], b"x" * 2000, 413),
        ([b"transfer-encoding: chunked"], b"7d0\r\n" + b"x" * 2000, 413),
    ],
)
async def test_an_offer_makes_nothing_acceptable_that_is_not(
    make_model: MakeModel, start: StartService, headers: list[bytes], sent: bytes, status: int
):
    service = await start(make_model(), max_request_bytes=1000)
    async with connect(service) as caller:
        caller.send(b"\r\n".join([b"POST /score HTTP/1.1", b"host: s", *OFFER, *headers, b"", sent]))
        answered, fields, _ = await caller.answer()
        assert (answered, fields["connection"]) == (status, "close")


async def test_the_end_of_the_connection_is_wanted_with_an_offer_too(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    async with connect(service) as caller:
        caller.send(b"GET /health HTTP/1.1\r\nconnection: close, upgrade\r\nupgrade: h2c\r\n\r\n")
        status, headers, _ = await caller.answer()
        assert (status, headers["connection"], await caller.rest()) == (200, "close", b"")
    async with connect(service) as caller:
        head = b"\r\n".join([b"POST /score HTTP/1.0", *OFFER, b"content-length: 1", b"", b"1"])
        caller.send(head)
        assert (await caller.rest()).endswith(b'\r\n\r\n{"echo":1}')


async def test_a_body_is_asked_for_before_it_comes_with_an_offer_too(make_model: MakeModel, start: StartService):
    service = await start(make_model())
    async with connect(service) as caller:
        head, body = offered(BODY, b"expect: 100-continue", chunked=False)
        caller.send(head)
        assert (await caller.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        caller.send(body)
        assert (await caller.answer())[2] == ECHO


@BOTH
async def test_curl_may_prefer_http2(make_model: MakeModel, start: StartService, server: ServerMode):
    service = await start(make_model(), server=server)
    common = ("-sS", "--http2", "--max-time", "20", "--unix-socket", path_of(service), "-w", " %{http_code}")
    json_type = ("-H", "content-type: application/json", "--data-binary", BODY.decode())
    for arguments, wanted in (
        (("http://s/score", *json_type), ECHO.decode()),
        (("http://s/score", *json_type, "-H", "transfer-encoding: chunked"), ECHO.decode()),
        (("http://s/health",), '{"status":"alive"}'),
    ):
        curl = await asyncio.create_subprocess_exec("curl", *common, *arguments, stdout=asyncio.subprocess.PIPE)
        out, _ = await curl.communicate()
        assert out.decode() == f"{wanted} 200"


@BOTH
@pytest.mark.parametrize("origin", [b"http://s", b"HTTP://s:8080", b"https://user@s"])
async def test_a_target_may_name_the_server(
    make_model: MakeModel, start: StartService, server: ServerMode, origin: bytes
):
    service = await start(make_model(), server=server)
    async with connect(service) as caller:
        caller.send(b"POST %b/score HTTP/1.1\r\nhost: other\r\ncontent-length: 1\r\n\r\n1" % origin)
        assert (await caller.answer())[2] == b'{"echo":1}'
        caller.send(b"GET %b/ready?wait=soon HTTP/1.1\r\nhost: s\r\n\r\n" % origin)
        assert b"wait is a number" in (await caller.answer())[2]
        caller.send(b"GET %b?x=1 HTTP/1.1\r\nhost: s\r\n\r\n" % origin)
        assert b"There is no /." in (await caller.answer())[2]


@BOTH
async def test_head_answers_where_get_does_without_a_body(
    make_model: MakeModel, start: StartService, server: ServerMode
):
    service = await start(make_model(), server=server)
    async with connect(service) as caller:
        for path in (b"/health", b"/ready", b"/metrics", b"/openapi.json", b"/elsewhere", b"/score"):
            caller.send(b"GET %b HTTP/1.1\r\nhost: s\r\n\r\n" % path)
            status, headers, _ = await caller.answer()
            head = await head_of(caller, path)
            assert head[0].split(" ")[1] == str(status)
            if path not in {b"/metrics", b"/score"}:  # numbers change, the error names the method
                assert f"content-length: {headers['content-length']}" in head
        assert "allow: post" in head
        caller.send(post(b"1"))
        assert (await caller.answer())[2] == b'{"echo":1}'


async def head_of(caller: Caller, path: bytes) -> list[str]:
    caller.send(b"HEAD %b HTTP/1.1\r\nhost: s\r\n\r\n" % path)
    async with asyncio.timeout(20):
        return (await caller.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")


@BOTH
async def test_httpx_and_aiohttp_are_answered(make_model: MakeModel, start: StartService, server: ServerMode):
    service = await start(make_model(), server=server)

    async def parts():
        yield BODY[:4]
        yield BODY[4:]

    transport = httpx.AsyncHTTPTransport(uds=path_of(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://s") as client:
        assert (await client.post("/score", json=json.loads(BODY))).content == ECHO
        assert (await client.post("/score", content=parts())).content == ECHO
        assert (await client.head("/health")).status_code == 200
        assert (await client.get("/score")).json()["status"] == 405
    json_type = {"content-type": "application/json"}
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAoAAAAAIAAAAA"}
    async with aiohttp.ClientSession("http://s", connector=aiohttp.UnixConnector(path_of(service))) as session:
        for headers in (json_type, json_type | offer):
            for data in (BODY, parts()):
                async with session.post("/score", data=data, headers=headers) as answer:
                    assert (answer.status, await answer.read()) == (200, ECHO)
        async with session.head("/ready") as answer:
            assert answer.status == 200


NOT_JSON = [
    rb'"\ud800"',
    rb'{"\udc00\ud800": 1}',
    b"1e999",
    b"-1e999",
    b"1" * 400,
    b"NaN",
    b"[" * 1025 + b"]" * 1025,
    b'"\xff"',
    b'"\x01"',
]


@BOTH
async def test_what_is_no_json_is_the_callers_mistake_at_every_size(
    make_model: MakeModel, start: StartService, server: ServerMode
):
    body = "def inference(self, item): return {'sound': len(str(item).encode()) > 0}"
    service = await start(make_model(body), server=server)
    async with connect(service) as caller:
        for value in NOT_JSON:
            small = b'{"value": %b}' % value
            large = b'{"value": %b, "long": "%b"}' % (value, b"x" * (1 << 16))
            for sent in (small, large, b"[%b, 1]" % small, b"[%b, 1]" % large):
                caller.send(post(sent))
                status, _, answer = await caller.answer()
                assert (status, json.loads(answer)["name"]) == (400, "InvalidRequestError"), (value[:20], len(sent))


@BOTH
async def test_what_is_json_is_taken_at_every_size(make_model: MakeModel, start: StartService, server: ServerMode):
    service = await start(make_model(), server=server)
    values = [
        rb'"\ud83d\ude00 \\ud800"',
        b"1.5e300",
        b"12345678901234567",
        b"[" * 500 + b"]" * 500,
        b'"\\\\u"',
        b"[0.1]",
    ]
    async with connect(service) as caller:
        for value in values:
            for filling in (b"x", b"x" * (1 << 16)):
                caller.send(post(b'{"value": %b, "long": "%b"}' % (value, filling)))
                status, _, answer = await caller.answer()
                assert (status, json.loads(answer)["echo"]["value"]) == (200, json.loads(value))
