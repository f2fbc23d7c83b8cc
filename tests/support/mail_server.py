"""A mail server of one test: takes every e-mail, or refuses as it is told.

with running_mail_server() as server:
    server.port; server.messages; server.refusals["RCPT"] = "450 4.2.0 greylisted"
"""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1.

    `refusals` maps a command to the answer it gets (END: the end of the e-mail); `on_data` is called before that one.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.refusals: dict[str, str] = {}
        self.on_data: Callable[[], None] | None = None

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """For MOP_EMAIL_BACKEND."""
        return f"smtp://127.0.0.1:{self.port}?starttls=off"


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 test")
        while line := self.rfile.readline():
            command = line.decode("latin-1").strip().upper().split(" ")[0].split(":")[0]
            if refusal := self.server.refusals.get(command):
                self._say(refusal)
            elif command == "EHLO":
                self._say("250-test", "250 8BITMIME")
            elif command == "DATA":
                self._say("354 go on")
                self._take()
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        raw = b"".join(lines)
        self.server.raw.append(raw)
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.server.messages.append(parsed)
        if self.server.on_data is not None:
            self.server.on_data()
        self._say(self.server.refusals.get("END", "250 taken"))

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode("latin-1"))


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """A mail server while the block runs."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
