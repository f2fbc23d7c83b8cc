"""The front of a service in gunicorn's mode: `python -m mop.serving.gunicorn_front`; input and output as of front.py.

This process is gunicorn's master. Its workers (gunicorn_worker.py) are threaded, each with a model process of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from mop.serving.config import ServiceConfig
from mop.serving.front_start import BACKLOG, announcement, begin
from mop.serving.gunicorn_worker import ModelWorker
from mop.serving.http_connection import KEEP_ALIVE_S
from mop.serving.lease import READ_BYTES
from mop.serving.parent_death import die_with
from mop.serving.shared_state import SharedState

SOCKET_UMASK = 0o177


def main() -> None:
    """Run until the owner ends, the lease runs out or SIGTERM comes."""
    config = begin()
    LeaseWatch(config.lease_ttl_s).start()
    GunicornService(config).run()


class GunicornService(BaseApplication):  # type: ignore[misc] # gunicorn is untyped
    """gunicorn with its settings in code: neither files nor variables of the environment are read.

    Attributes:
        service: the configuration of the whole service.
        shared_state: what the workers share.
    """

    def __init__(self, config: ServiceConfig) -> None:
        self.service = config
        self.shared_state = SharedState(config.workers)
        super().__init__()

    def load_config(self) -> None:
        """The service's configuration in gunicorn's words."""
        config = self.service
        settings: dict[str, Any] = {
            "bind": f"unix:{config.uds}" if config.uds else f"{config.host}:{config.port or 0}",
            "umask": SOCKET_UMASK,
            "backlog": BACKLOG,
            "worker_class": ModelWorker,
            "workers": config.workers,
            "threads": config.threads,
            "worker_connections": max(config.threads + 1, config.max_connections // config.workers),
            "keepalive": int(KEEP_ALIVE_S),
            "graceful_timeout": int(config.request_deadline_s) + 1,
            "worker_tmp_dir": str(Path.cwd()),
            "control_socket_disable": True,
            "loglevel": "warning",
            "when_ready": _announce,
            "pre_fork": self._give_slot,
            "post_fork": _die_with_master,
            "child_exit": self._take_slot_back,
            "worker_exit": _stop_model,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _give_slot(self, arbiter: Any, worker: ModelWorker) -> None:
        taken = {other.slot for other in arbiter.WORKERS.values()}
        worker.slot = next(slot for slot in range(self.service.workers) if slot not in taken)

    def _take_slot_back(self, _arbiter: Any, worker: ModelWorker) -> None:
        self.shared_state.set_ready(worker.slot, ready=False)


def _announce(arbiter: Any) -> None:
    name = arbiter.LISTENERS[0].sock.getsockname()
    address = f"unix:{name}" if isinstance(name, str) else f"http://{name[0]}:{name[1]}"
    _tell(announcement(address))


def _tell(line: str) -> None:
    """A line to the owner; one who is gone, or does not read, is not waited for."""
    with contextlib.suppress(OSError):
        os.write(1, line.encode() + b"\n")


def _die_with_master(_arbiter: Any, worker: ModelWorker) -> None:
    die_with(worker.ppid)


def _stop_model(_arbiter: Any, worker: ModelWorker) -> None:
    worker.stop_model()


class LeaseWatch(threading.Thread):
    """Ends the service with its lease. A thread, since gunicorn's master sleeps while it waits for its workers' end."""

    def __init__(self, ttl_s: float | None) -> None:
        super().__init__(name="lease", daemon=True)
        self._ttl_s = ttl_s

    def run(self) -> None:
        """Wait for the end of standard input, or for a renewal that does not come."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        reason = "its owner did not renew the lease"
        while poll.poll(None if self._ttl_s is None else 1000 * self._ttl_s):
            if not os.read(0, READ_BYTES):
                reason = "its owner ended"
                break
        _tell(f"[front] the service stops: {reason}")
        os.kill(os.getpid(), signal.SIGQUIT)


if __name__ == "__main__":
    main()
