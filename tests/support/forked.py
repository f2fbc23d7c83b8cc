"""Python processes of tests that begin with MOP imported: `ForkedPython` is a `subprocess.Popen` of one.

For processes that a test needs as a means. What a test says about the start of a process itself it says about one that
was executed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import inspect
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.waiting import wait_for

START_SECONDS = 180.0  # on a machine with much other work
SETTINGS = "mop.conf.settings"
TESTS = Path(__file__).parents[1]
# room for the command line and environment of a fork, see `support.forked_process`
ROOM = 1 << 16
# what Python, or a library, reads once when it starts: the server has it, and so have its forks
READ_AT_START = (
    "PYTHON",
    "LC_",
    "LANG",
    "OPENBLAS",
    "OMP_",
    "MKL_",
    "LD_",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "PY_COLORS",
)
NO_MATTER = ("PYTHONPATH", "PYTHONUNBUFFERED")
# what the server does not take over from the tests
NOT_INHERITED = ("MOP_", "COVERAGE_", "PYTEST_", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS")


class ForkServer:
    """The server of this test process."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mop-forks-", dir="/tmp"))
        self._path = self._folder / "socket"
        self._log = self._folder / "log"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # it ends with the tests, and its forks with it if they ask for that
                [
                    "setpriv",
                    "--pdeathsig",
                    "TERM",
                    sys.executable,
                    "-m",
                    "support.fork_server",
                    str(self._path),
                    "-" * ROOM,
                ],
                # one thread: a library's others would not be in the forks
                env=self.environment | {"PYTHONPATH": str(TESTS), "OPENBLAS_NUM_THREADS": "1", "ROOM": "-" * ROOM},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(self.close)
        wait_for(self._listens, seconds=START_SECONDS, what="the fork server listens", note=self._log.read_text)

    @property
    def pid(self) -> int:
        """The parent of every fork."""
        return self._process.pid

    def ask(self, request: dict[str, Any], descriptors: Sequence[int]) -> tuple[int, socket.socket]:
        """A new process, and the connection on which its status comes."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self._path))
        body = json.dumps(request).encode()
        first = b"%d\n" % len(body)
        socket.send_fds(connection, [first], list(descriptors))
        connection.sendall(body)
        if not (line := _read_line(connection)):
            raise AssertionError(f"the fork server has ended:\n{self._log.read_text()}")
        return int(line), connection

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self._path))
            return True
        return False


@functools.cache
def fork_server() -> ForkServer:
    """The server, started when it is needed first."""
    return ForkServer()


class ForkedPython(subprocess.Popen[Any]):
    """A process that runs `python -m module ...` or `python -c code ...` in a fork.

    Takes the arguments of `subprocess.Popen` except `preexec_fn` and those about users and groups.

    Args:
        death_signal: what the process gets when the tests end before it.
    """

    _status: socket.socket

    def __init__(self, argv: Sequence[str], *, death_signal: int = 0, **options: Any) -> None:
        self._death_signal = int(death_signal)
        super().__init__(argv, **options)

    def _execute_child(self, *args: Any) -> None:
        given = inspect.signature(super()._execute_child).bind(*args).arguments  # type: ignore[misc]
        assert given["preexec_fn"] is None, "a fork runs no function of ours"
        env, pass_fds = given["env"], given["pass_fds"]
        server = fork_server()
        request = {
            "argv": [os.fspath(argument) for argument in given["args"]],
            "env": dict(os.environ if env is None else env),
            "cwd": os.fspath(given["cwd"] or Path.cwd()),
            "new_session": given["start_new_session"],
            "death_signal": self._death_signal,
            "server": server.pid,
            "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
            "pass_fds": list(pass_fds),
        }
        ends = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        streams = [number if end == -1 else end for number, end in enumerate(ends)]
        self.pid, self._status = server.ask(request, [*streams, *pass_fds])
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[name] for name in pipes))  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        """What `os.waitpid` says of a child: the server is the parent of this one."""
        if wait_flags & os.WNOHANG and not select.select([self._status], [], [], 0)[0]:
            return 0, 0
        line = _read_line(self._status)
        self._status.close()
        return self.pid, int(line) if line else signal.SIGKILL  # a server that has gone tells nothing

    def _internal_poll(self, _deadstate: int | None = None, **_ignored: Any) -> int | None:
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None:
                    pid, status = self._try_wait(os.WNOHANG)
                    if pid:
                        self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def python(argv: Sequence[str], *, env: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
    """A Python process by its command line: forked where that makes no difference to it, else executed."""
    start = ForkedPython if can_be_forked(argv, env) else execute
    return start(argv, env=env, **options)


def execute(argv: Sequence[str], *, death_signal: int = 0, **options: Any) -> subprocess.Popen[Any]:
    """A process that is executed; see `ForkedPython` for `death_signal`."""
    before = ("setpriv", "--pdeathsig", signal.Signals(death_signal).name.removeprefix("SIG")) if death_signal else ()
    return subprocess.Popen([*before, *argv], **options)


def run_python(
    argv: Sequence[str], *, env: Mapping[str, str], stdin: str = "", timeout: float = 120, **options: Any
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with its output captured as text; see `python`."""
    pipe = subprocess.PIPE
    with python(argv, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def can_be_forked(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a fork is as good: our own interpreter runs a module or code, in an environment like the server's."""
    if len(argv) < 3 or argv[0] != sys.executable or argv[1] not in {"-m", "-c"}:
        return False
    if env.get("DJANGO_SETTINGS_MODULE", SETTINGS) != SETTINGS:  # they may name further apps
        return False
    return dict(_read_at_start(env)) == dict(_read_at_start(fork_server().environment))


def _read_at_start(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in env.items() if name.startswith(READ_AT_START) and name not in NO_MATTER)


def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        if not (part := connection.recv(1)):
            return b""
        line += part
    return line
