"""A portal of one thread whose patience is a second, for tests of slow clients: gunicorn loads both from here."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from mop.conf.portal_worker import PortalWorker


class HurriedWorker(PortalWorker):
    head_seconds = body_seconds = answer_seconds = 1.0


# imported by the main thread, which hangs where it runs this
signal.signal(signal.SIGALRM, lambda *_: time.sleep(3600))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers the length of the body; of /long more than a socket's buffers take; /hang lets the main thread hang."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"].startswith("/hang"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
    if environ["PATH_INFO"] == "/long":
        return (b"x" * 1_000_000 for _ in range(100))
    return [str(len(body)).encode()]
