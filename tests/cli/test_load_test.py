"""`mop load-test` against small servers of this process."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.commands import INTERRUPTIBLE, MOP, Result, environment, mop_here, started
from cli.commands import mop as mop_process
from loadtest.servers import Handler, Server, answer_ok, answers, serving
from mop.loadtest.endpoint import Endpoint
from mop.loadtest.payloads import payload_for
from mop.loadtest.results import LoadTestResult

QUICK = ("--duration", "0.5", "--warm-up", "0", "--seed", "7")
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"


class Running:
    """A server on an event loop of its own thread, since the command has the test's."""

    def __init__(self, handler: Handler, uds: Path | None = None) -> None:
        self.server: Server
        self.endpoint: Endpoint
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(handler, uds),))
        self._thread.start()
        self._ready.wait()

    async def _serve(self, handler: Handler, uds: Path | None) -> None:
        async with serving(handler, uds=uds) as (self.server, self.endpoint):
            self._ready.set()
            await self._over.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.endpoint.port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    running = Running(answer_ok, tmp_path / "s")
    yield running
    running.close()


@pytest.fixture
def web() -> Iterator[Running]:
    running = Running(answer_ok)
    yield running
    running.close()


@pytest.fixture
def busy() -> Iterator[Running]:
    running = Running(answers(BUSY))
    yield running
    running.close()


def test_json_has_every_step_with_its_numbers(service: Running, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "payload").write_text('{"text": "x"}')
    result = mop_here(
        capsys,
        *("load-test", "--uds", str(tmp_path / "s"), "--payload", str(tmp_path / "payload")),
        *("--strategy", "per-rps", "--steps", "10,20", "--json", *QUICK),
    )
    found = result.json
    assert result.code == (0 if found["trusted"] else 1)
    assert (found["strategy"], found["ended"], found["seed"]) == ("PerRPS", "finished", 7)
    assert [step["target"] for step in found["steps"]] == [10, 20]
    for step in found["steps"]:
        assert step["duration_s"] == 0.5
        assert set(step["latency_ms"]) == {"average", "p50", "p90", "p95", "p99", "max"}
        assert set(step["requests"]) == {"total", "successful", "user_failed", "system_failed"}
        assert set(step["lag_ms"]) == {"p50", "p99"}
        assert isinstance(step["trusted"], bool)
        assert step["utilization"] is None
        assert step["rps"] <= step["requests"]["successful"] / 0.5
    assert json.loads(json.dumps(LoadTestResult.from_dict(found).to_dict())) == found
    request = service.server.requests[0]
    assert request.startswith(b"POST /score HTTP/1.1\r\nhost: service\r\n")
    assert request.endswith(b'\r\n\r\n{"text": "x"}')
    assert len(service.server.requests) == sum(step["requests"]["total"] for step in found["steps"])


def test_a_url_without_a_payload_is_asked_by_get(web: Running, capsys: pytest.CaptureFixture[str]):
    mop_here(capsys, "load-test", f"{web.url}/a?b=c", "--header", "X-Key: 1", "--steps", "1", *QUICK)
    assert web.server.requests[0].startswith(b"GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nX-Key: 1\r\n" in web.server.requests[0]


def test_mops_own_payload_is_sent_in_mop_format(service: Running, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    mop_here(capsys, "load-test", "--uds", str(tmp_path / "s"), "--modality", "text", "--steps", "1", *QUICK)
    request = service.server.requests[0]
    assert b"\r\nX-MOP-Format: mop\r\n" in request
    assert request.endswith(b"\r\n\r\n" + payload_for("Text").body)


def test_people_get_a_line_for_each_step_and_a_table(web: Running, capsys: pytest.CaptureFixture[str]):
    result = mop_here(capsys, "load-test", web.url, "--strategy", "PERCONCURRENCY", "--steps", "1,2", *QUICK)
    lines = result.err.splitlines()
    assert lines[0].startswith(f"PerConcurrency on {web.url}/: 0.5 s a step, seed 7")
    assert [line.partition(":")[0] for line in lines if "answers/s" in line] == ["1 client", "2 clients"]
    table = result.out.splitlines()
    assert " ".join(table[0].split()) == "target rps average P50 P90 P95 P99 max total failed lag P99 trusted"
    assert [line.split()[0] for line in table[1:]] == ["1", "2", "ended:"]
    assert "\x1b" not in result.out + result.err


def test_failures_are_1_and_told(busy: Running, capsys: pytest.CaptureFixture[str]):
    result = mop_here(capsys, "load-test", busy.url, "--strategy", "PerRPS", "--steps", "10,20", *QUICK)
    assert result.code == 1
    assert "ended: failing" in result.out
    assert "  failed: 5 status 503" in result.err


def test_requests_that_were_sent_once_more_are_told(capsys: pytest.CaptureFixture[str]):
    used: set[asyncio.StreamWriter] = set()

    async def every_other(request: bytes, writer: asyncio.StreamWriter) -> bool | None:
        if writer in used:
            return False
        used.add(writer)
        return await answer_ok(request, writer)

    running = Running(every_other)
    try:
        result = mop_here(capsys, "load-test", running.url, "--strategy", "PerRPS", "--steps", "20", "--json", *QUICK)
    finally:
        running.close()
    (step,) = result.json["steps"]
    assert step["retries"] > 0
    assert step["requests"]["total"] == step["requests"]["successful"]
    assert len(running.server.requests) == step["requests"]["total"] + step["retries"]
    assert f"  sent once more on a new connection: {step['retries']}" in result.err.splitlines()


def test_nobody_there_is_3_with_an_empty_stdout(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    result = mop_here(capsys, "load-test", "--uds", str(tmp_path / "none"), "--json", *QUICK)
    assert (result.code, result.out) == (3, "")
    assert "LoadTargetUnreachableError: Nobody takes connections at unix:" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("ftp://x",),
        ("http://",),
        ("http://user:secret@x/",),
        ("http://x/#part",),
        ("http://x:99999/",),
        ("http://x/a b",),
        ("http://x", "--steps", "1,b"),
        ("http://x", "--steps", "10,1"),
        ("http://x", "--steps", ""),
        ("http://x", "--strategy", "PerHaps"),
        ("http://x", "--arrivals", "often"),
        ("http://x", "--duration", "nan"),
        ("http://x", "--duration", "9000"),
        ("http://x", "--payload", "/no/such/file"),
        ("http://x", "--header", "nonsense"),
        ("http://x", "--header", "Host: y"),
        ("http://x", "--modality", "Text", "--payload", "/etc/hostname"),
    ],
)
def test_wrong_usage_is_64_and_nothing_is_sent(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]):
    result = mop_here(capsys, "load-test", *arguments)
    assert (result.code, result.out) == (64, "")
    assert "Traceback" not in result.err
    assert "secret" not in result.err


def test_an_interrupt_prints_what_was_measured_and_is_130(service: Running, tmp_path: Path):
    arguments = ("load-test", "--uds", str(tmp_path / "s"), "--steps", "2", "--duration", "600", "--json")
    with started(*arguments, home=tmp_path) as process:
        while len(service.server.requests) < 20:
            assert process.poll() is None, (tmp_path / "stderr").read_text()
            threading.Event().wait(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    found = json.loads(out)
    assert (found["ended"], [step["ended"] for step in found["steps"]]) == ("cancelled", ["cancelled"])


def test_a_terminal_sees_live_numbers(service: Running, tmp_path: Path):
    main, terminal = pty.openpty()
    arguments = ("load-test", "--uds", str(tmp_path / "s"), "--steps", "2", "--duration", "600", "--warm-up", "0")
    with subprocess.Popen(
        [*INTERRUPTIBLE, *MOP, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        stdin=subprocess.DEVNULL,
        env=environment(tmp_path, {"TERM": "xterm", "COLUMNS": "150"}),
    ) as process:
        os.close(terminal)
        shown, live = b"", b"step 1/1: 2 clients, counting"
        try:
            while part := os.read(main, 1 << 16):
                if live not in shown and live in shown + part:
                    process.send_signal(signal.SIGINT)
                shown += part
        except OSError:  # the terminal's other end was closed
            pass
    os.close(main)
    assert b"(cancelled after" in shown
    assert process.returncode == 130


def test_the_help_needs_no_numpy(tmp_path: Path):
    (tmp_path / "numpy.py").write_text("raise ImportError('numpy')")
    result: Result = mop_process("load-test", "--help", home=tmp_path, PYTHONPATH=str(tmp_path))
    assert result.code == 0, result.err
    assert "--strategy" in result.out
