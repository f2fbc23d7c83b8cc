"""What services may send, and do to their connections."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.servers import OK, Handler, answer_ok, answers, serving, until
from mop.errors import LoadTargetUnreachableError
from mop.loadtest import http_transport
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.exchange import MALFORMED, OWN_LIMIT, RESET, UNREACHABLE, Ticket
from mop.loadtest.http_transport import LARGEST_HEAD_BYTES, LONGEST_IDLE_NS, Connection, HttpTransport, find_host

Send = Callable[..., Awaitable[int]]


class Caller:
    """Sends requests one by one and waits for how they end."""

    def __init__(self, endpoint: Endpoint, host: str = "127.0.0.1") -> None:
        self.transport = HttpTransport(endpoint, host)
        self.transport.finished = self.finished
        self.ends: asyncio.Queue[int] = asyncio.Queue()

    def finished(self, ticket: Ticket, code: int, now: int) -> None:
        assert ticket.open
        assert now > 0
        ticket.open = False
        self.ends.put_nowait(code)

    def begin(self, intended: int = 0) -> Ticket:
        ticket = Ticket(intended)
        ticket.open = True
        self.transport.send(ticket)
        return ticket

    async def send(self, intended: int = 0) -> int:
        self.begin(intended)
        return await self.ends.get()


async def ends(handler: Handler, count: int = 1) -> list[int]:
    """How requests to such a service end, one after the other."""
    async with serving(handler) as (_, endpoint):
        caller = Caller(endpoint)
        found = [await caller.send() for _ in range(count)]
        caller.transport.close()
        return found


async def test_requests_reuse_the_connection_and_are_the_bytes_that_the_target_tells():
    async with serving(answer_ok) as (server, endpoint):
        caller = Caller(endpoint)
        assert [await caller.send() for _ in range(5)] == [200] * 5
        assert server.connections == 1
        assert set(server.requests) == {endpoint.request()}
        caller.transport.close()


async def test_there_are_as_many_connections_as_requests_at_once():
    release = asyncio.Event()

    async def hold(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        await release.wait()
        writer.write(OK)
        return True

    async with serving(hold) as (server, endpoint):
        caller = Caller(endpoint)
        for _ in range(40):
            caller.begin()
        await until(lambda: len(server.requests) == 40)
        release.set()
        assert [await caller.ends.get() for _ in range(40)] == [200] * 40
        assert server.connections == 40
        caller.transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_ordinary_answers_have_their_status_also_when_they_come_in_small_parts(answer: bytes):
    status = int(answer.rpartition(b"HTTP/1.1 ")[2][:3])

    async def in_parts(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        for place in range(0, len(answer), 7):
            writer.write(answer[place : place + 7])
            await writer.drain()
            await asyncio.sleep(0)
        return True

    assert await ends(answers(answer), 3) == [status] * 3
    assert await ends(in_parts, 2) == [status] * 2


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"])
async def test_an_answer_may_end_with_its_connection(head: bytes):
    assert await ends(answers(head + b"some text", close=True), 2) == [200, 200]


async def test_an_answer_after_which_the_service_closes_is_followed_by_a_new_connection():
    answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    async with serving(answers(answer, close=True)) as (server, endpoint):
        caller = Caller(endpoint)
        assert [await caller.send() for _ in range(3)] == [200] * 3
        assert server.connections == 3
        caller.transport.close()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", RESET),
        (b"HTTP/1.1 200 OK\r\ncontent-le", RESET),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", RESET),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", RESET),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 10\r\n\r\nhalf", RESET),
        (b"SSH-2.0-OpenSSH\r\n\r\n", MALFORMED),
        (b"HTTP/1.1 999999 What\r\ncontent-length: 0\r\n\r\n", MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok", MALFORMED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", MALFORMED),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", MALFORMED),
        (OK + OK, MALFORMED),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * (2 * LARGEST_HEAD_BYTES), MALFORMED),
    ],
)
async def test_other_answers_are_failures(sent: bytes, code: int):
    assert await ends(answers(sent, close=True)) == [code]


class Wire(asyncio.Transport):
    """The service's side of a connection, without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def write(self, data: object) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


PARTS = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 503 \r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"content-length: 2\r\n",
    b"transfer-encoding: chunked\r\n",
    b"connection: close\r\n",
    b"\r\n",
    b"ok",
    b"2\r\nok\r\n",
    b"0\r\n\r\n",
    OK,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=40)), max_size=12), st.sampled_from([None, OSError()])
)
def test_whatever_is_sent_each_request_ends_exactly_once(chunks: list[bytes], lost: OSError | None):
    async def run() -> None:
        transport = HttpTransport(Endpoint(host="h"), "h")
        codes: list[int] = []

        def finished(ticket: Ticket, code: int, _now: int) -> None:
            assert ticket.open
            ticket.open = False
            codes.append(code)

        transport.finished = finished
        connection, wire = Connection(transport), Wire()
        connection.connection_made(wire)
        ticket = Ticket(0)
        ticket.open = True
        connection.send(ticket, b"")
        for chunk in chunks:
            if not wire.aborted:
                connection.data_received(chunk)
        connection.connection_lost(lost)
        assert len(codes) == 1
        assert codes[0] in {RESET, MALFORMED} or 200 <= codes[0] <= 999
        assert transport.idle == []

    asyncio.run(run())


async def test_a_head_without_end_is_given_up_on():
    async def endless(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: y\r\n" * 1000)
            await writer.drain()

    assert await ends(endless) == [MALFORMED]


async def test_a_body_without_end_is_given_up_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_transport, "LARGEST_ANSWER_BYTES", 1 << 20)

    async def endless(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()

    assert await ends(endless) == [MALFORMED]


async def test_endless_hints_before_an_answer_are_given_up_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_transport, "LARGEST_HEAD_BYTES", 1 << 16)

    async def hints(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
            await writer.drain()

    assert await ends(hints) == [MALFORMED]


async def test_an_answer_that_nobody_asked_for_ends_its_connection():
    unasked = asyncio.Event()

    async def twice(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK)
        if not unasked.is_set():
            await writer.drain()
            await unasked.wait()
            writer.write(OK)
        return True

    async with serving(twice) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == 200
        unasked.set()
        await until(lambda: not caller.transport.idle)
        assert await caller.send() == 200
        assert server.connections == 2
        caller.transport.close()


async def reset(_request: bytes, writer: asyncio.StreamWriter) -> bool:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()
    return False


async def test_a_reset_is_a_failure_and_nothing_is_sent_twice():

    async with serving(reset) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == RESET
        assert len(server.requests) == 1
        caller.transport.close()


async def close(_request: bytes, _writer: asyncio.StreamWriter) -> bool:
    return False


@pytest.mark.parametrize("end", [close, reset])
async def test_a_request_on_a_connection_that_the_server_had_closed_is_sent_once_more_on_a_new_one(end: Handler):
    first = True

    async def handler(request: bytes, writer: asyncio.StreamWriter) -> bool | None:
        nonlocal first
        if len(server.requests) == 2 and first:
            first = False
            return await end(request, writer)
        return await answer_ok(request, writer)

    async with serving(handler) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == 200
        ticket = caller.begin()
        assert await caller.ends.get() == 200
        assert ticket.retried
        assert (len(server.requests), server.connections) == (3, 2)
        assert not caller.begin().retried
        assert await caller.ends.get() == 200
        caller.transport.close()


async def test_what_fails_on_the_new_connection_too_is_a_failure():
    async def handler(request: bytes, writer: asyncio.StreamWriter) -> bool | None:
        return await (answer_ok if len(server.requests) == 1 else close)(request, writer)

    async with serving(handler) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == 200
        assert await caller.send() == RESET
        assert (len(server.requests), server.connections) == (3, 2)
        caller.transport.close()


async def test_a_request_of_whose_answer_a_byte_came_is_not_sent_again():
    async def handler(request: bytes, writer: asyncio.StreamWriter) -> bool | None:
        if len(server.requests) == 1:
            return await answer_ok(request, writer)
        writer.write(b"H")
        return False

    async with serving(handler) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == 200
        assert await caller.send() == RESET
        assert len(server.requests) == 2
        caller.transport.close()


async def test_a_request_that_is_sent_once_more_can_be_withdrawn():
    async def handler(request: bytes, writer: asyncio.StreamWriter) -> bool | None:
        if len(server.requests) == 3:
            return None
        return await (answer_ok if len(server.requests) == 1 else close)(request, writer)

    async with serving(handler) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == 200
        ticket = caller.begin()
        await until(lambda: len(server.requests) == 3)
        caller.transport.withdraw(ticket)
        caller.transport.close()
        assert caller.ends.empty()


async def test_https_to_a_port_that_speaks_http_is_told_as_that():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        endpoint = Endpoint(host="127.0.0.1", port=server.sockets[0].getsockname()[1], tls=True)
        with pytest.raises(LoadTargetUnreachableError, match="speaks HTTP without TLS") as refused:
            await find_host(endpoint)
        assert refused.value.hint == "Write http:// instead of https://."


async def test_a_server_that_waits_for_the_rest_of_a_head_is_told_as_one_without_tls_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(http_transport, "CONNECT_TIMEOUT_S", 0.1)
    async with serving(answer_ok, uds=tmp_path / "s") as (_, endpoint):
        with pytest.raises(LoadTargetUnreachableError, match="speaks HTTP without TLS"):
            await find_host(replace(endpoint, tls=True))


async def test_https_to_what_speaks_neither_is_told_as_it_failed():
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        endpoint = Endpoint(host="127.0.0.1", port=server.sockets[0].getsockname()[1], tls=True)
        with pytest.raises(LoadTargetUnreachableError, match="Nobody takes connections at https"):
            await find_host(endpoint)


async def test_a_connection_that_was_idle_for_long_is_not_used_again():
    async with serving(answer_ok) as (server, endpoint):
        caller = Caller(endpoint)
        assert await caller.send() == 200
        idle_since = caller.transport.idle[0].idle_since
        assert await caller.send(idle_since + LONGEST_IDLE_NS - 1) == 200
        assert server.connections == 1
        idle_since = caller.transport.idle[0].idle_since
        assert await caller.send(idle_since + LONGEST_IDLE_NS) == 200
        assert server.connections == 2
        caller.transport.close()


async def test_nothing_is_heard_of_a_withdrawn_request():
    async def never(_request: bytes, _writer: asyncio.StreamWriter) -> None:
        return None

    async with serving(never) as (server, endpoint):
        caller = Caller(endpoint)
        waiting, connecting = caller.begin(), caller.begin()
        caller.transport.withdraw(connecting)
        await until(lambda: server.requests)
        caller.transport.withdraw(waiting)
        caller.transport.close()
        assert caller.ends.empty()
        assert len(server.requests) == 1


async def test_nobody_there_is_a_failure_of_the_service_and_no_descriptors_one_of_the_generator(
    monkeypatch: pytest.MonkeyPatch,
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        caller = Caller(Endpoint(host="127.0.0.1", port=taken.getsockname()[1]))
        assert await caller.send() == UNREACHABLE

        async def exhausted(*_arguments: object) -> None:
            raise OSError(errno.EMFILE, "too many open files")

        monkeypatch.setattr(http_transport, "open_connection", exhausted)
        assert await caller.send() == OWN_LIMIT


async def test_a_target_that_takes_no_connections_is_told_before_anything_is_measured(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(LoadTargetUnreachableError, match="Nobody takes connections at http:"):
            await find_host(Endpoint(host="127.0.0.1", port=taken.getsockname()[1]))
    with pytest.raises(LoadTargetUnreachableError, match="No such file"):
        await find_host(Endpoint(host="service", uds=str(tmp_path / "none")))
    with pytest.raises(LoadTargetUnreachableError, match="cannot be resolved"):
        await find_host(Endpoint(host="nowhere.invalid"))
