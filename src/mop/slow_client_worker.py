"""gunicorn's threaded worker, with an end to slow clients: the portal's, and that of model services in gunicorn's mode.

gunicorn waits for a request's bytes in one of a few threads, without a limit: as many connections as there are threads,
each sending a byte now and then, would keep everybody else out. Here a request has so long to arrive and to be
answered; then its connection is closed, whatever the thread is doing. Who faces the internet puts a proxy that reads
whole requests in front all the same: while slow clients are waited for, their threads are taken.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class SlowClientWorker(ThreadWorker):  # type: ignore[misc] # gunicorn is untyped
    """Closes connections whose request or answer takes too long.

    Attributes:
        head_seconds: from the first byte to the end of the headers.
        body_seconds: from there to the end of the body, and to the answer's beginning.
        answer_seconds: from there to the end of the answer.
    """

    wsgi: Callable[..., Iterable[bytes]]
    head_seconds: float
    body_seconds: float
    answer_seconds: float

    def init_process(self) -> None:
        """Start with no connection at work."""
        self._ends: dict[TConn, float] = {}
        self._current = threading.local()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and learn when it begins to read a body and when it has answered."""
        super().load_wsgi()
        application = self.wsgi

        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self._allow(self.body_seconds)
            chunks = application(environ, start_response)
            self._allow(self.answer_seconds)
            return chunks

        self.wsgi = answer

    def handle(self, conn: TConn) -> Any:
        """Handle one request within its time."""
        self._current.connection = conn
        self._allow(self.head_seconds)
        try:
            return super().handle(conn)
        finally:
            self._ends.pop(conn, None)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        """Close what is over its time too; gunicorn calls this every second."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, end in list(self._ends.items()):
            if end < now:
                self._ends.pop(conn, None)
                with contextlib.suppress(OSError):  # it has just ended
                    conn.sock.shutdown(socket.SHUT_RDWR)

    def handle_quit(self, sig: int, frame: object) -> None:  # noqa: ARG002 - the base class's signature
        """End at once; gunicorn's own takes a lock of its threads, which the interrupted code may hold."""
        self.alive = False
        sys.exit(0)

    def cut_off(self) -> None:
        """Let no thread begin another request, or wait for a caller: they would hold up the process's end."""
        self.tpool.shutdown(wait=False, cancel_futures=True)
        for conn in list(self._ends):
            with contextlib.suppress(OSError):  # it has just ended
                conn.sock.shutdown(socket.SHUT_RDWR)

    def _allow(self, seconds: float) -> None:
        self._ends[self._current.connection] = time.monotonic() + seconds
