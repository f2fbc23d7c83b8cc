"""A receiver of webhooks of one test: takes messages, or behaves as it is told.

with running_receiver() as receiver:
    receiver.url; receiver.messages; receiver.behave = status(503)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Message:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """As a receiver checks it, by the text of Standard Webhooks."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return wanted in self.headers["webhook-signature"].split(" ")


Send = Callable[[bytes], None]
Behaviour = Callable[[Send], None]


def status(code: int, *headers: str) -> Behaviour:
    head = "".join(f"{line}\r\n" for line in headers)
    return lambda send: send(f"HTTP/1.1 {code} X\r\n{head}Content-Length: 0\r\n\r\n".encode())


def hang(seconds: float) -> Behaviour:
    return lambda _send: time.sleep(seconds)


def trickle(send: Send) -> None:
    """One byte of a header at a time, without end."""
    send(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        send(b"a")
        time.sleep(0.05)


def flood(send: Send) -> None:
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    while True:
        send(b"x" * 65536)


class Receiver(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.messages: list[Message] = []
        self.behave: Behaviour = status(204)
        self.on_message: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/hook"


class _Handler(socketserver.StreamRequestHandler):
    server: Receiver

    def handle(self) -> None:
        self.rfile.readline()
        headers: dict[str, str] = {}
        while (line := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.server.messages.append(Message(headers, body))
        if self.server.on_message:
            self.server.on_message()
        with suppress(OSError):  # the sender went away
            self.server.behave(self._send)

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


@contextmanager
def running_receiver(host: str = "127.0.0.1") -> Iterator[Receiver]:
    with Receiver(host) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
