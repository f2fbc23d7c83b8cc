"""The forwarder as the models' Pythons run it, the oldest and the newest of this host."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mop.environments import Interpreter, index_forwarder

PROGRAM = """
import os, socket, sys
names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
(address,) = {os.environ[name] for name in names}
assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == ""
host, port = address.replace("http://", "").split(":")
assert host == "127.0.0.1"
with socket.create_connection((host, int(port))) as one:
    one.sendall(b"x" * 1_000_000)
    one.shutdown(socket.SHUT_WR)
    answer = b""
    while True:
        piece = one.recv(65536)
        if not piece:
            break
        answer += piece
print(len(answer), *sys.argv[1:])
sys.exit(7)
"""


class Echo:
    """A unix socket that says again what it hears."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                one = self._listener.accept()[0]
            except OSError:
                return
            with one:
                heard = b""
                while piece := one.recv(65536):
                    heard += piece
                one.sendall(heard)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)  # a short path for the socket
    made = Echo(Path("s"))
    yield "s"
    made.close()


@pytest.fixture(params=[0, -1], ids=["oldest", "newest"])
def python(request: pytest.FixtureRequest, interpreters: tuple[Interpreter, ...]) -> Path:
    found = sorted(interpreters, key=lambda one: tuple(map(int, one.version.split(".")[:2])))
    return found[request.param].path


def run(python: Path, path: str, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", "-S", index_forwarder.__file__, path, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_bytes_go_both_ways_and_the_programs_status_comes_back(python: Path, echo: str) -> None:
    done = run(python, echo, str(python), "-c", PROGRAM, "--an argument")
    assert (done.returncode, done.stdout, done.stderr) == (7, "1000000 --an argument\n", "")


def test_a_program_that_a_signal_ends_is_told_as_a_shell_does(python: Path, echo: str) -> None:
    assert run(python, echo, str(python), "-c", "import os; os.kill(os.getpid(), 9)").returncode == 128 + 9


def test_without_a_proxy_a_connection_ends_at_once(python: Path, echo: str) -> None:
    done = run(python, f"{echo}-missing", str(python), "-c", PROGRAM)
    assert done.returncode != 0
    assert "1000000" not in done.stdout


LEAVES_OPEN = """
import os, socket, sys
host, port = os.environ["HTTPS_PROXY"].replace("http://", "").split(":")
connections = [socket.create_connection((host, int(port))) for _ in range(5)]
for one in connections:
    one.sendall(b"x" * 1000)
sys.stdout.flush()
os._exit(int(sys.argv[1]))
"""


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A unix socket that takes connections and never answers."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        listener.listen()
        yield "s"


@pytest.mark.parametrize("status", [0, 3])
def test_connections_that_are_open_at_the_end_leave_nothing_in_the_programs_log(
    interpreters: tuple[Interpreter, ...], silent: str, status: int
) -> None:
    for one in interpreters:  # not every version's asyncio has something to say
        done = run(one.path, silent, str(one.path), "-c", LEAVES_OPEN, str(status))
        assert (one.version, done.returncode, done.stdout, done.stderr) == (one.version, status, "", "")
