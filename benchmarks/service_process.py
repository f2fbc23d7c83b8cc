"""A server that is not ours, with all its processes: started, stopped while others are measured, ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mop.sandbox.watchdog import processes_below

START_DEADLINE_S = 60


class ServerProcess:
    """A server and its descendants.

    Such servers work while they do nothing (they poll, dozens to hundreds of times a second), so each can be paused.

    Args:
        argv: the command.
        place: its working directory, and its home.
        variables: of its environment, beside PATH and HOME.
        probe: a request, (path, body), that it answers with 200 as soon as it is ready; a body makes it a POST.

    Raises:
        RuntimeError: it did not start; with its log.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        port: int,
        place: Path,
        variables: Mapping[str, str],
        probe: tuple[str, bytes | None],
    ) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = place / "log"
        started = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                argv,
                cwd=place,
                env={"PATH": f"{Path(argv[0]).parent}:{os.defpath}", "HOME": str(place), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.first_answer = self._wait(*probe)
        except BaseException:
            self.close()
            raise
        self.start_s = time.perf_counter() - started

    def _wait(self, path: str, body: bytes | None) -> bytes:
        end = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < end and self._process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            try:
                headers = {"content-type": "application/json"}
                connection.request("POST" if body else "GET", path, body=body, headers=headers)
                response = connection.getresponse()
                content = response.read()
                if response.status == 200:
                    return content
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.01)
        raise RuntimeError(f"{self._process.args!r} did not start:\n{self._log.read_text(errors='replace')[-4000:]}")

    def pids(self) -> list[int]:
        """The server and its descendants, some of which make sessions of their own."""
        return [self._process.pid, *(pid for pid, _ in processes_below(self._process.pid))]

    def pause(self) -> None:
        """Let it use no CPU."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self) -> None:
        """End all of its processes."""
        if self._process.poll() is None:
            self.pause()  # a supervisor that stands still starts no others
            self._signal(signal.SIGKILL)
        self._process.wait()


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
