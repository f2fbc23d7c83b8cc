"""The way out of a caged build, met by clients that do not play by the rules."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mop.environments.index_proxy import CONNECTIONS_MAX, NAMED_MAX, IndexProxy, Patience, index_proxy
from mop.environments.index_targets import Target, index_targets
from storage.certificates import make_server_certificate
from support.azurite import ServerCertificate

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Server:
    """Stands for an index: keeps each connection's first bytes and answers them."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(ANSWER)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def server(context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.answer, "127.0.0.1", 0, ssl=context)
    made.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield made


@dataclass
class Way:
    """A running proxy with its log."""

    proxy: IndexProxy
    log: list[str]

    async def say(self, request: bytes, *, end: bool = False) -> bytes:
        """Send and read to the end."""
        reader, writer = await self.connect()
        writer.write(request)
        if end:
            writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
        return b""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self.proxy.socket)

    async def tunnel(self, place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self.connect()
        writer.write(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        return reader, writer


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mop-") as folder:  # short: a socket's path has 107 bytes at most
        yield Path(folder)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return make_server_certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls(certificate: ServerCertificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context


@contextlib.asynccontextmanager
async def way(
    place: Path, *targets: Target, patience: Patience | None = None, certificates: Path | None = None
) -> AsyncIterator[Way]:
    log: list[str] = []
    async with index_proxy(
        targets, place, prepare_writable=lambda _: None, log=log.append, patience=patience, certificates=certificates
    ) as proxy:
        yield Way(proxy, log)


async def test_a_request_reaches_an_http_index_in_words_of_our_own(place: Path) -> None:
    async with server() as index, way(place, Target("127.0.0.1", index.port, tls=False)) as out:
        request = (
            f"GET http://127.0.0.1:{index.port}/simple/six/?a=b HTTP/1.1\r\nHost: 127.0.0.1:{index.port}\r\n"
            "Accept: text/html\r\nProxy-Authorization: Basic eA==\r\nConnection: keep-alive, Accept\r\n"
            "Upgrade: h2c\r\n\r\n"
        )
        assert await out.say(request.encode()) == ANSWER
        assert index.heard == [
            f"GET /simple/six/?a=b HTTP/1.1\r\nHost: 127.0.0.1:{index.port}\r\nAccept: text/html\r\n"
            "Connection: close\r\n\r\n".encode()
        ]
        await out.say(request.encode())
        assert out.log == [f"the build reaches the package index at 127.0.0.1:{index.port}"]
        assert out.proxy.refused == []


async def test_a_client_that_ends_its_half_still_gets_the_answer(place: Path) -> None:
    async with server() as index, way(place, Target("127.0.0.1", index.port, tls=False)) as out:
        request = f"GET http://127.0.0.1:{index.port}/ HTTP/1.1\r\n\r\n".encode()
        assert await out.say(request, end=True) == ANSWER


async def test_a_second_request_on_the_connection_goes_nowhere(place: Path) -> None:
    async with server() as index, way(place, Target("127.0.0.1", index.port, tls=False)) as out:
        one = f"GET http://127.0.0.1:{index.port}/one HTTP/1.1\r\n\r\n"
        two = "POST /two HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\nabc"
        assert await out.say((one + two).encode()) == ANSWER
        assert [head.split(b"\r\n")[0] for head in index.heard] == [b"GET /one HTTP/1.1"]


@pytest.mark.parametrize(
    "asked",
    [
        "CONNECT evil.example:443",
        "CONNECT index.example.evil.example:443",
        "CONNECT index.example.:443",
        "CONNECT index.example:22",
        "CONNECT index.example:80",
        "CONNECT 192.0.2.1:443",
        "CONNECT 127.0.0.1:443",
        "CONNECT [::1]:443",
        "CONNECT [::ffff:127.0.0.1]:443",
        "CONNECT 2130706433:443",
        "GET http://evil.example/",
        "GET http://index.example:443/",
        "GET http://169.254.169.254/latest/meta-data/",
        "HEAD http://[::1]:8000/",
    ],
)
async def test_what_is_no_index_is_refused_by_name(place: Path, asked: str) -> None:
    async with way(place, Target("index.example", 443, tls=True)) as out:
        answer = await out.say(f"{asked} HTTP/1.1\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert len(out.proxy.refused) == 1
        assert out.log == [f"the build tried to reach {out.proxy.refused[0]}; refused"]
        host = asked.removeprefix("GET http://").removeprefix("HEAD http://").removeprefix("CONNECT ").split("/")[0]
        assert out.proxy.refused[0].startswith(host)
        assert host.encode() in answer


async def test_no_tunnel_leads_to_an_http_index(place: Path) -> None:
    async with server() as index, way(place, Target("127.0.0.1", index.port, tls=False)) as out:
        answer = await out.say(f"CONNECT 127.0.0.1:{index.port} HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert index.heard == []
        assert out.proxy.refused == [f"127.0.0.1:{index.port} in another way than it is reached"]


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET https://{host}/ HTTP/1.1\r\n\r\n",
        "GET ftp://{host}/ HTTP/1.1\r\n\r\n",
        "GET //{host}/ HTTP/1.1\r\n\r\n",
        "GET http://user@{host}/ HTTP/1.1\r\n\r\n",
        "GET http://evil.example@{host}/ HTTP/1.1\r\n\r\n",
        "GET http://{host}@evil.example/ HTTP/1.1\r\n\r\n",
        "GET http://{host}#@evil.example/ HTTP/1.1\r\n\r\n",
        "GET http://{host}\\@evil.example/ HTTP/1.1\r\n\r\n",
        "GET http://{host}/../admin HTTP/1.1\r\n\r\n",
        "GET http://{host}/a/%2e%2E/admin HTTP/1.1\r\n\r\n",
        "GET http://{host}/a%2f..%2fadmin HTTP/1.1\r\n\r\n",
        "GET http://{host}//evil.example/ HTTP/1.1\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        "GET http://{host}/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\nabc",
        "GET http://{host}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nX: a\r\n Host: evil.example\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nX: a\nHost: evil.example\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nX: a\rHost: evil.example\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nX : a\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nX: \x00\r\n\r\n",
        "GET http://{host}/a\tb HTTP/1.1\r\n\r\n",
        "GET http://{host}/ HTTP/1.1 GET / HTTP/1.1\r\n\r\n",
        "GET http://{host}/ HTTP/2.0\r\n\r\n",
        "GET http://{host}/\u00e9 HTTP/1.1\r\n\r\n",
        "GET http://\u0131ndex/ HTTP/1.1\r\n\r\n",
        "POST http://{host}/ HTTP/1.1\r\n\r\n",
        "PUT http://{host}/ HTTP/1.1\r\n\r\n",
        "get http://{host}/ HTTP/1.1\r\n\r\n",
        "CONNECT http://{host}/ HTTP/1.1\r\n\r\n",
        "CONNECT user@{host} HTTP/1.1\r\n\r\n",
        "CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n",
        "CONNECT ::1:443 HTTP/1.1\r\n\r\n",
        "CONNECT {host} HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        "\r\n\r\n",
        "\x16\x03\x01\x00\x05hello\r\n\r\n",
        "GET http://{host}/" + 20_000 * "a" + " HTTP/1.1\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\nX: " + 20_000 * "a" + "\r\n\r\n",
        "GET http://{host}/ HTTP/1.1\r\n" + 65 * "X: a\r\n" + "\r\n",
    ],
)
async def test_what_is_no_plain_request_is_refused_and_reaches_nothing(place: Path, request_text: str) -> None:
    async with server() as index, way(place, Target("127.0.0.1", index.port, tls=False)) as out:
        answer = await out.say(request_text.replace("{host}", f"127.0.0.1:{index.port}").encode())
        assert answer.startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.1 403 Forbidden\r\n"))
        assert index.heard == []
        assert len(out.proxy.refused) == 1
        assert out.proxy.refused[0].isprintable()


async def test_who_says_nothing_and_who_leaves_early_are_let_go(place: Path) -> None:
    async with way(place, Target("index.example", 443, tls=True), patience=Patience(head=0.05)) as out:
        assert await out.say(b"") == b""
        assert await out.say(b"CONNECT index.exam") == b""
        assert await out.say(b"CONNECT index.exam", end=True) == b""
        assert (await out.say(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 403 ")


async def test_a_connection_on_which_nothing_moves_ends(place: Path) -> None:
    silent = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with way(place, Target("127.0.0.1", port, tls=False), patience=Patience(idle=0.05)) as out:
            assert await out.say(f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n".encode()) == b""
        silent.set()


async def test_more_connections_than_allowed_are_turned_away_and_later_ones_are_not(place: Path) -> None:
    async with server() as index, way(place, Target("127.0.0.1", index.port, tls=False)) as out:
        request = f"GET http://127.0.0.1:{index.port}/ HTTP/1.1\r\n\r\n".encode()
        held = [await out.connect() for _ in range(CONNECTIONS_MAX)]
        assert (await out.say(b"")).startswith(b"HTTP/1.1 503 ")
        assert (await out.say(b"")).startswith(b"HTTP/1.1 503 ")
        for reader, writer in held:
            writer.write(b"x\r\n\r\n")
            await reader.read()
            writer.close()
        assert await out.say(request) == ANSWER
        assert [line for line in out.log if "connections" in line] == [
            f"the build opened more than {CONNECTIONS_MAX} connections at once; further ones are refused"
        ]


async def test_refusals_are_named_once_and_not_without_end(place: Path) -> None:
    async with way(place) as out:
        for number in (*range(NAMED_MAX + 20), 0):
            await out.say(f"CONNECT evil{number}.example:443 HTTP/1.1\r\n\r\n".encode())
        assert len(out.proxy.refused) == NAMED_MAX
        assert len(out.log) == NAMED_MAX + 1
        assert out.log[-1] == "further refusals are not named"


async def test_an_index_that_is_down_is_told(place: Path) -> None:
    async with server() as index:
        pass
    async with way(place, Target("127.0.0.1", index.port, tls=False), Target("127.0.0.1", 1, tls=True)) as out:
        plain = await out.say(f"GET http://127.0.0.1:{index.port}/ HTTP/1.1\r\n\r\n".encode())
        tunnel = await out.say(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")
        assert plain.startswith(b"HTTP/1.1 502 Bad Gateway")
        assert tunnel.startswith(b"HTTP/1.1 502 Bad Gateway")
        assert any("cannot be reached" in line for line in out.log)
        assert out.proxy.refused == []


# Tunnels ------------------------------------------------------------------------------------------------


async def test_a_tunnel_carries_tls_to_the_index(
    place: Path, tls: ssl.SSLContext, certificate: ServerCertificate
) -> None:
    async with server(tls) as index, way(place, Target("127.0.0.1", index.port, tls=True)) as out:
        reader, writer = await out.tunnel(f"127.0.0.1:{index.port}")
        trust = ssl.create_default_context(cafile=certificate.ca_file)
        await writer.start_tls(trust, server_hostname="127.0.0.1")
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == ANSWER
        assert index.heard == [b"GET / HTTP/1.1\r\n\r\n"]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "something else than TLS"),
        (b"SSH-2.0-OpenSSH_9\r\n", "something else than TLS"),
        (b"\x16\x03\x01\x00\x00", "something else than TLS"),
        (b"\x16\x03\x01\x7f\xff", "something else than TLS"),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "something else than a ClientHello"),
        (b"\x16\x03\x01\x00\x04\x01\x00\xff\xff", "a message that ends too early"),
    ],
)
async def test_a_tunnel_is_for_tls_alone(place: Path, first: bytes, reason: str) -> None:
    async with server() as index, way(place, Target("localhost", index.port, tls=True)) as out:
        reader, writer = await out.tunnel(f"localhost:{index.port}")
        writer.write(first)
        assert await reader.read() == b""
        assert out.proxy.refused == [f"localhost:{index.port} with {reason}"]
        assert index.heard == []


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", None])
async def test_a_tunnel_to_the_index_does_not_reach_others_at_its_address(
    place: Path, tls: ssl.SSLContext, name: str | None
) -> None:
    met: list[str | None] = []
    tls.sni_callback = lambda _socket, asked, _context: met.append(asked)
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    async with server(tls) as index, way(place, Target("localhost", index.port, tls=True)) as out:
        _, writer = await out.tunnel(f"localhost:{index.port}")
        with pytest.raises((OSError, ssl.SSLError)):
            await writer.start_tls(trust, server_hostname=name or "127.0.0.1")
        assert met == []
        assert out.proxy.refused == [f"localhost:{index.port} with " + (f"the name {name!r}" if name else "no name")]


async def test_a_name_that_is_hidden_is_refused(place: Path) -> None:
    extension = b"\xfe\x0d\x00\x01\x00"
    hello = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    hello += len(extension).to_bytes(2, "big") + extension
    message = b"\x01" + len(hello).to_bytes(3, "big") + hello
    async with server() as index, way(place, Target("localhost", index.port, tls=True)) as out:
        reader, writer = await out.tunnel(f"localhost:{index.port}")
        writer.write(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message)
        assert await reader.read() == b""
        assert out.proxy.refused == [f"localhost:{index.port} with a hidden name (encrypted client hello)"]


# An index that wants credentials ------------------------------------------------------------------------


async def test_the_proxy_adds_the_credentials_that_the_build_does_not_have(
    place: Path, tls: ssl.SSLContext, certificate: ServerCertificate
) -> None:
    async with server(tls) as index:
        (target,) = index_targets([f"https://reader:p%40ss@127.0.0.1:{index.port}/pypi/simple/"], [])
        assert "cmVhZGVy" not in repr(target)
        async with way(place, target, certificates=certificate.ca_file) as out:
            bundle = out.proxy.folder / "certificates.pem"
            assert names_in(out.proxy.folder) == ["certificates.pem", "index"]
            for path, header in (
                ("/pypi/simple/six/", "Authorization: Bearer mine\r\n"),
                ("/pypi/packages/six.whl", ""),
                ("/api/tokens", ""),
            ):
                reader, writer = await out.tunnel(f"127.0.0.1:{index.port}")
                await writer.start_tls(ssl.create_default_context(cafile=bundle), server_hostname="127.0.0.1")
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{index.port}\r\n{header}\r\n".encode())
                assert await reader.read() == ANSWER
            reader, writer = await out.tunnel(f"127.0.0.1:{index.port}")
            await writer.start_tls(ssl.create_default_context(cafile=bundle), server_hostname="127.0.0.1")
            writer.write(f"POST /pypi/ HTTP/1.1\r\nHost: 127.0.0.1:{index.port}\r\nContent-Length: 0\r\n\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        sent = base64.b64encode(b"reader:p@ss").decode()
        heads = [head.decode() for head in index.heard]
        assert [f"Authorization: Basic {sent}\r\n" in head for head in heads] == [True, True, False]
        assert not [head for head in heads if "mine" in head]


async def test_an_http_index_gets_its_credentials_too(place: Path) -> None:
    async with server() as index:
        targets = index_targets([f"http://reader:secret@127.0.0.1:{index.port}/simple"], [])
        async with way(place, *targets) as out:
            await out.say(f"GET http://127.0.0.1:{index.port}/files/a.whl HTTP/1.1\r\n\r\n".encode())
        assert b"Authorization: Basic cmVhZGVyOnNlY3JldA==\r\n" in index.heard[0]


# Life ----------------------------------------------------------------------------------------------------


async def test_nothing_is_left_when_it_ends_and_a_killed_ones_folder_goes(place: Path) -> None:
    killed = place / "i-killed"
    killed.mkdir()
    os.utime(killed, (0, 0))
    (place / "i-young").mkdir()
    async with way(place) as first:
        os.utime(first.proxy.folder, (0, 0))
        async with way(place) as second:
            assert names_in(place) == sorted(["i-young", first.proxy.folder.name, second.proxy.folder.name])
            assert second.proxy.folder.stat().st_mode & 0o777 == 0o700
        reader, writer = await first.connect()
        writer.write(b"CONNECT ")
        await first.say(b"x\r\n\r\n")  # connections are taken in order
    assert await reader.read() == b""
    assert names_in(place) == ["i-young"]


@pytest.mark.parametrize("text", ["", "a/b", "user@host", "host:99999", "http://host", "host?x", "[::1"])
def test_a_host_of_files_that_can_not_be_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        index_targets([], [text])


def test_targets_are_those_of_indexes_and_hosts_of_files() -> None:
    targets = index_targets(
        ["https://Index.Example/simple", "http://[::1]:8080/simple", "https://a:b@index.example/other/simple"],
        ["files.example", "files.example:8443", "index.example"],
    )
    assert [target.authority for target in targets] == [
        "index.example:443",
        "[::1]:8080",
        "files.example:443",
        "files.example:8443",
    ]
    assert [target.tls for target in targets] == [True, False, True, True]
    assert targets[0].authorization("/simple/six/") is None
    assert targets[0].authorization("/other/packages/six") == "Basic YTpi"


@pytest.mark.parametrize("url", ["ftp://index.example/simple", "https:///simple", "file:///simple"])
def test_an_index_that_is_none_is_refused_without_its_credentials(url: str) -> None:
    with pytest.raises(ValueError, match="package index") as caught:
        index_targets([url.replace("://", "://user:secret@")], [])
    assert "secret" not in str(caught.value)
