from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mop_utils
from mop.serving.config import model_process_argv
from mop.serving.frames import read_result, run_frame, settings_frame
from mop.serving.model_process import BUFFER_BYTES, FAILED, MODEL_FORMAT, MOP_FORMAT, READY, RESULT
from serving.conftest import MakeModel

MINORS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")


def interpreters() -> list[str]:
    """The running Python and every other supported one of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    others = sorted(str(python) for minor in MINORS for python in root.glob(f"{minor}.*/bin/python"))
    running = f"{sys.version_info.major}.{sys.version_info.minor}."
    return [sys.executable, *(python for python in others if f"/{running}" not in python)]


class Peer:
    """The front's end of a model process's channel, blocking."""

    def __init__(self, python: str, folder: Path, *, threads: int, batch: bool) -> None:
        ours, theirs = socket.socketpair()
        argv = model_process_argv(python, src=folder / "src", model=folder / "model", threads=threads, batch=batch)
        self._process = subprocess.Popen(argv, stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        theirs.close()
        self._socket = ours
        self._socket.settimeout(30)
        self._stream = ours.makefile("rb")
        self._socket.sendall(settings_frame(b'{"max_response_bytes": 1000000}'))

    def frame(self) -> tuple[int, bytes]:
        (size,) = struct.unpack(">I", self._stream.read(4))
        body = self._stream.read(size)
        return body[0], body[1:]

    def run(self, *items: tuple[int, Any]) -> list[tuple[bool, Any]]:
        self._socket.sendall(b"".join(run_frame(7, [(form, json.dumps(item).encode()) for form, item in items])))
        kind, body = self.frame()
        number, answers = read_result(memoryview(body))
        assert (kind, number) == (RESULT, 7)
        return [(succeeded, json.loads(answer)) for succeeded, answer in answers]

    def close(self) -> tuple[int, str]:
        """Exit status and output after the channel is closed."""
        self._stream.close()
        self._socket.close()
        output, _ = self._process.communicate(timeout=30)
        return self._process.returncode, output.decode()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


Connect = Callable[..., Peer]


@pytest.fixture
def connect() -> Iterator[Connect]:
    peers: list[Peer] = []

    def make(folder: Path, *, python: str = sys.executable, threads: int = 1, batch: bool = True) -> Peer:
        peers.append(Peer(python, folder, threads=threads, batch=batch))
        return peers[-1]

    yield make
    for peer in peers:
        peer.kill()


@pytest.mark.parametrize("python", interpreters())
@pytest.mark.parametrize("batch", [True, False])
def test_every_supported_python_serves_frames(make_model: MakeModel, connect: Connect, python: str, *, batch: bool):
    folder = make_model("def inference(self, item): return 1 / item['n'] if 'n' in item else item")
    sdk = Path(mop_utils.__file__).parent
    shutil.copytree(sdk, folder / "src" / "mop_utils", ignore=shutil.ignore_patterns("__pycache__"))
    peer = connect(folder, python=python, batch=batch)
    kind, body = peer.frame()
    assert kind == READY, body
    assert json.loads(body)["wrapper"] == "Wrapper"
    answers = peer.run(
        (MODEL_FORMAT, {"n": 2}), (MODEL_FORMAT, {"n": 0}), (MOP_FORMAT, {"text": "t"}), (MOP_FORMAT, {})
    )
    assert answers[0] == (True, 0.5)
    assert not answers[1][0]
    assert answers[1][1]["name"] == "UserScriptException"
    assert "ZeroDivisionError" in answers[1][1]["message"]
    assert answers[2][1]["predicted_labels"]["hate"] == {"no": 0, "yes": 1}
    assert answers[3][1]["name"] == "InvalidRequestError"
    status, output = peer.close()
    assert status == 0
    assert "ZeroDivisionError" in output


@pytest.mark.parametrize("python", interpreters())
def test_every_supported_python_reports_why_it_can_not_load(make_model: MakeModel, connect: Connect, python: str):
    peer = connect(make_model(whole="import no_such_package"), python=python)
    kind, body = peer.frame()
    assert kind == FAILED
    assert json.loads(body)["name"] == "UserScriptException"
    status, output = peer.close()
    assert status == 1
    assert "ModuleNotFoundError" in output


def test_frames_larger_than_the_buffer_and_many_small_ones_after_them(make_model: MakeModel, connect: Connect):
    peer = connect(make_model("def inference(self, item): return len(item)"))
    assert peer.frame()[0] == READY
    for size in (3 * BUFFER_BYTES, 10, BUFFER_BYTES, 1, BUFFER_BYTES - 20):
        assert peer.run((MODEL_FORMAT, "x" * size), (MODEL_FORMAT, "y")) == [(True, size), (True, 1)]


def test_frames_that_arrive_together_are_answered_in_order(make_model: MakeModel, connect: Connect):
    peer = connect(make_model("def inference(self, item): return item"))
    assert peer.frame()[0] == READY
    frames = [part for number in range(2000) for part in run_frame(number, [(MODEL_FORMAT, b'"%s"' % (b"x" * 1000))])]
    received: list[int] = []
    for start in range(0, 2000, 50):
        peer._socket.sendall(b"".join(frames[start : start + 50]))
        received += [read_result(memoryview(peer.frame()[1]))[0] for _ in range(50)]
    assert received == list(range(2000))


def test_an_item_that_only_the_models_python_can_not_read_fails_alone(make_model: MakeModel, connect: Connect):
    peer = connect(make_model("def inference(self, item): return 1"))
    assert peer.frame()[0] == READY
    peer._socket.sendall(
        b"".join(run_frame(1, [(MODEL_FORMAT, b"[" * 100_000 + b"]" * 100_000), (MODEL_FORMAT, b"1")]))
    )
    _, answers = read_result(memoryview(peer.frame()[1]))
    assert [succeeded for succeeded, _ in answers] == [False, True]
    assert json.loads(answers[0][1])["name"] == "InvalidRequestError"


def test_non_daemon_threads_of_the_model_do_not_keep_the_process(make_model: MakeModel, connect: Connect):
    body = "def init(self, model_root): threading.Thread(target=threading.Event().wait).start()"
    peer = connect(make_model(body))
    assert peer.frame()[0] == READY
    assert peer.close()[0] == 0
