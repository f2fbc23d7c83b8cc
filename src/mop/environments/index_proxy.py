"""The one way out of a cage: a build's to its package indexes and their files, a model's to the hosts it is allowed.

Alive only while a build's steps or the model's service run. It listens on a unix socket in a private folder that is
mounted into the cage; what asks there may be a stranger's build script, so every byte is distrusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from mop.environments import index_forwarder
from mop.environments.allowed_hosts import is_public
from mop.environments.client_hello import RECORD_HEADER_BYTES, NoClientHelloError, record_length, server_name
from mop.environments.config import BuildCommand, Log, PrepareWritable
from mop.environments.index_certificate import Impersonation, impersonate, is_address
from mop.environments.index_requests import HEAD_BYTES_MAX, BadRequestError, Request, read_request
from mop.environments.index_targets import Target

CONNECTIONS_MAX = 128
NAMED_MAX = 50
"""So many different refused hosts are named in the log."""

_FORWARDER = Path(index_forwarder.__file__)
_PREFIX = "i-"
_SOCKET = "index"
_STALE_SECONDS = 60
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Patience:
    """Seconds that the proxy waits.

    Attributes:
        head: for a request's head, and for the first message in a tunnel.
        connect: for the target's server to take a connection.
        idle: for the next byte of a connection in either direction.
    """

    head: float = 30.0
    connect: float = 30.0
    idle: float = 300.0


@dataclass(frozen=True)
class Words:
    """How the log names who asks and what is let through.

    Attributes:
        who: the job.
        reaches: what it does when it is let through.
        others: what every other host is not.
    """

    who: str
    reaches: str
    others: str


OF_BUILDS = Words("the build", "reaches the package index at", "no package index of this installation")


@contextlib.asynccontextmanager
async def index_proxy(
    targets: Sequence[Target],
    place: Path,
    *,
    prepare_writable: PrepareWritable,
    log: Log,
    certificates: Path | None = None,
    patience: Patience | None = None,
    words: Words = OF_BUILDS,
) -> AsyncIterator[IndexProxy]:
    """A proxy while the block runs.

    Args:
        targets: what may be reached.
        place: MOP's own folder for sockets; short, a socket's path has 107 bytes at most.
        prepare_writable: hands a folder and what is in it to the user that the cage runs as.
        log: gets a line for each host that is reached for the first time, and for each that is refused.
        certificates: authorities by which indexes with credentials are checked; None is the system's.
        patience: how long it waits.
        words: how it speaks in the log.
    """
    folder = await asyncio.to_thread(_make_folder, place)
    try:
        impersonation = await asyncio.to_thread(impersonate, targets, certificates=certificates, folder=folder)
        proxy = IndexProxy(targets, folder, log, impersonation, patience or Patience(), words)
        server = await asyncio.start_unix_server(
            proxy.accept, proxy.socket, limit=HEAD_BYTES_MAX, backlog=CONNECTIONS_MAX
        )
        try:
            prepare_writable(folder)
            yield proxy
        finally:
            server.close()
            await proxy.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class IndexProxy:
    """Made by `index_proxy`; `refused` holds what was asked for and not allowed, in order, each once."""

    def __init__(
        self,
        targets: Sequence[Target],
        folder: Path,
        log: Log,
        impersonation: Impersonation | None,
        patience: Patience,
        words: Words,
    ) -> None:
        self.folder = folder
        self.socket = folder / _SOCKET
        self.refused: list[str] = []
        self._targets = {(target.host, target.port): target for target in targets}
        self._log = log
        self._impersonation = impersonation
        self._patience = patience
        self._words = words
        self._reached: set[str] = set()
        self._lost: set[str] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._crowded = False
        self._closed = False

    def through(self, command: BuildCommand) -> BuildCommand:
        """The step without a network of its own: the index is reached through this proxy."""
        certificates = self._impersonation.bundle if self._impersonation else None
        return replace(
            command,
            argv=self.forwarded(command.interpreter, command.argv),
            env={**command.env, **({"SSL_CERT_FILE": str(certificates)} if certificates else {})},
            readable=(*command.readable, *self.needs),
            network=False,
        )

    def forwarded(self, python: Path, argv: Sequence[str]) -> tuple[str, ...]:
        """The command beside a forwarder, which finds this proxy by its socket and is named in HTTPS_PROXY."""
        return (str(python), "-I", "-S", str(_FORWARDER), str(self.socket), *argv)

    @property
    def needs(self) -> tuple[Path, ...]:
        """What a forwarded command must be able to read, each at its own path."""
        return (_FORWARDER, self.folder)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, in a task of its own."""
        if self._closed:
            writer.close()
            return
        task = asyncio.create_task(self._answer(reader, writer, crowded=len(self._connections) >= CONNECTIONS_MAX))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def close(self) -> None:
        """Cut off what is still connected, and what connects from now on."""
        self._closed = True
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, crowded: bool) -> None:
        try:
            # who is cut off, or goes away, has nothing left to be told
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if crowded:
                    self._note_crowd()
                    await _say(writer, HTTPStatus.SERVICE_UNAVAILABLE, "too many connections at once")
                else:
                    await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await self._read(reader, writer, None)
        if request is None:
            return
        target = self._targets.get((request.host, request.port))
        if target is None or target.tls != request.is_tunnel:
            how = " in another way than it is reached" if target else f", which is {self._words.others}"
            self._note_refusal(f"{request.authority}{how}")
            await _say(writer, HTTPStatus.FORBIDDEN, f"{request.authority} is {self._words.others}")
        elif not request.is_tunnel:
            await self._pass_request(request, target, writer)
        elif target.credentials:
            await self._pass_authorized(target, reader, writer)
        else:
            await self._pass_tunnel(target, reader, writer)

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, within: Target | None
    ) -> Request | None:
        """The next request; None once it was answered that it cannot be read."""
        try:
            async with asyncio.timeout(self._patience.head):
                head = await reader.readuntil(b"\r\n\r\n")
            return read_request(head, within=within)
        except (BadRequestError, asyncio.LimitOverrunError) as error:
            reason = str(error) if isinstance(error, BadRequestError) else "a head that is too long"
            self._note_refusal(f"something by a request that is not taken ({reason})")
            await _say(writer, HTTPStatus.BAD_REQUEST, reason)
            return None

    async def _pass_request(self, request: Request, target: Target, writer: asyncio.StreamWriter) -> None:
        """Send one request of our own wording, and copy the answer until its end; nothing after it is read."""
        trust = self._impersonation.trust if target.tls and self._impersonation else None
        async with self._connected(target, writer, trust) as (far_reader, far_writer):
            far_writer.write(request.forwarded(target))
            await far_writer.drain()
            await self._copy((far_reader, writer))

    async def _pass_authorized(
        self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Speak TLS in the index's place: its credentials are added here, where the build cannot see them."""
        assert self._impersonation is not None  # noqa: S101 - there is one where a target has credentials
        await _establish(writer)
        async with asyncio.timeout(self._patience.head):
            await writer.start_tls(self._impersonation.context)
        request = await self._read(reader, writer, target)
        if request is not None:
            await self._pass_request(request, target, writer)

    async def _pass_tunnel(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy both ways, once the first message is seen to ask for the target and for nobody else at its address."""
        async with self._connected(target, writer, None) as (far_reader, far_writer):
            await _establish(writer)
            try:
                async with asyncio.timeout(self._patience.head):
                    header = await reader.readexactly(RECORD_HEADER_BYTES)
                    record = await reader.readexactly(record_length(header))
                _check_name(server_name(record), target)
            except NoClientHelloError as error:
                self._note_refusal(f"{target.authority} with {error}")
                return
            far_writer.write(header + record)
            await self._copy((reader, far_writer), (far_reader, writer))

    @contextlib.asynccontextmanager
    async def _connected(
        self, target: Target, writer: asyncio.StreamWriter, trust: ssl.SSLContext | None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to the target while the block runs; who cannot get one is told."""
        if target.authority not in self._reached:
            self._reached.add(target.authority)
            self._log(f"{self._words.who} {self._words.reaches} {target.authority}")
        try:
            async with asyncio.timeout(self._patience.connect):
                far_reader, far_writer = await _connect(target, trust)
        except _PrivateAddressError:
            self._note_refusal(f"{target.authority}, a name that leads to no public address")
            await _say(writer, HTTPStatus.FORBIDDEN, f"{target.authority} leads to no public address")
            raise
        except OSError as error:
            if target.authority not in self._lost:
                self._lost.add(target.authority)
                self._log(f"{target.authority} cannot be reached: {str(error) or 'it did not answer in time'}")
            await _say(writer, HTTPStatus.BAD_GATEWAY, f"{target.authority} cannot be reached")
            raise
        try:
            yield far_reader, far_writer
        finally:
            far_writer.close()

    async def _copy(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Copy each way to its end; all end when one fails, or when nothing came on any of them for too long."""
        loop = asyncio.get_running_loop()

        async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while piece := await reader.read(_PIECE):
                writer.write(piece)
                await writer.drain()
                limit.reschedule(loop.time() + self._patience.idle)
            if writer.can_write_eof():
                writer.write_eof()

        async with asyncio.timeout(self._patience.idle) as limit:
            copies = [asyncio.create_task(copy(*way)) for way in ways]
            try:
                await asyncio.gather(*copies)
            finally:
                for one in copies:
                    one.cancel()
                await asyncio.gather(*copies, return_exceptions=True)

    def _note_refusal(self, what: str) -> None:
        if what in self.refused or len(self.refused) >= NAMED_MAX:
            return
        self.refused.append(what)
        self._log(f"{self._words.who} tried to reach {what}; refused")
        if len(self.refused) == NAMED_MAX:
            self._log("further refusals are not named")

    def _note_crowd(self) -> None:
        if not self._crowded:
            self._crowded = True
            who = self._words.who
            self._log(f"{who} opened more than {CONNECTIONS_MAX} connections at once; further ones are refused")


class _PrivateAddressError(OSError):
    """A name that has public addresses only to be reached, and has none."""


async def _connect(target: Target, trust: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the target, to the very address that was looked at."""
    if not target.public:
        return await asyncio.open_connection(target.host, target.port, ssl=trust, limit=_PIECE)
    found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found]
    public = [address for address in dict.fromkeys(addresses) if is_public(address)]
    if not public:
        raise _PrivateAddressError
    for address in public[:-1]:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(address, target.port, limit=_PIECE)
    return await asyncio.open_connection(public[-1], target.port, limit=_PIECE)


async def _establish(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await writer.drain()


async def _say(writer: asyncio.StreamWriter, status: HTTPStatus, text: str) -> None:
    body = f"{text}\n".encode("ascii", "replace")
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    await writer.drain()


def _check_name(name: str | None, target: Target) -> None:
    """Refuse a client that asks for another name than the tunnel's."""
    if name != target.host and not (name is None and is_address(target.host)):
        raise NoClientHelloError(f"the name {name[:253]!r}" if name else "no name")


def _make_folder(place: Path) -> Path:
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(place)
    return Path(tempfile.mkdtemp(dir=place, prefix=_PREFIX))


def _sweep(place: Path) -> None:
    """Remove the folders of proxies that were killed: nobody listens there, and they are not just being made."""
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _STALE_SECONDS and not _is_alive(folder / _SOCKET):
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
