"""`mop model watch` beside a real pipeline: on a terminal, over a restart of the portal, and left by Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from environments.packages import PackageIndex
from support.installation import CHAIN, Installation, Submitted
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("watching")]

SECONDS = 90.0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def installation(mop: Installation) -> Installation:
    mop.start_worker()
    return mop


@pytest.fixture
def held(installation: Installation, index: PackageIndex) -> Submitted:
    """A revision whose environment is not built before the index goes on."""
    index.gate.clear()
    number = len(list(installation.folders.iterdir()))
    revision = installation.submit(write_model(installation.folders / f"held{number}", requirements=f"pip!=0.{number}"))
    installation.wait(revision, "environmentCreating")
    assert index.waiting.wait(SECONDS)
    return revision


@contextlib.contextmanager
def watching(
    mop: Installation, revision: Submitted, *arguments: str, **files: Any
) -> Iterator[subprocess.Popen[bytes]]:
    token = str(mop.api.headers["Authorization"]).removeprefix("Bearer ")
    address = {"MOP_URL": f"http://127.0.0.1:{mop.port}", "MOP_TOKEN": token, "TERM": "xterm", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        # a test run in a shell's background hands on that SIGINT is ignored
        ["env", "--default-signal=INT", sys.executable, "-m", "mop.cli", "model", "watch", revision.model, *arguments],
        # the terminal alone says how wide it is
        env={name: value for name, value in (mop.environment() | address).items() if name not in {"COLUMNS", "LINES"}},
        stdin=subprocess.DEVNULL,
        **files,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_goes_on_over_a_restart_of_the_portal(
    installation: Installation, index: PackageIndex, held: Submitted, tmp_path: Path
):
    out = tmp_path / "out"
    with out.open("wb") as file, watching(installation, held, "--json", stdout=file) as process:

        def wait_line(**wanted: object) -> None:
            wait_for(
                lambda: any(wanted.items() <= line.items() for line in lines_of(out)),
                seconds=SECONDS,
                what=str(wanted),
                note=out.read_text,
            )

        wait_line(event="status", status="environmentCreating")
        wait_line(event="log", log="build")
        installation.stop_portal()
        wait_line(event="connection", state="lost")
        installation.start_portal()
        wait_line(event="connection", state="found")
        index.gate.set()
        assert process.wait(SECONDS) == 0
    lines = lines_of(out)
    assert [line["status"] for line in lines if line["event"] == "passed"] == [*CHAIN[:-1]]
    numbers = [line["number"] for line in lines if line["event"] == "log" and line["log"] == "build"]
    assert numbers == sorted(set(numbers))
    result = lines[-1]
    assert (result["event"], result["exit_code"], result["revision"]["status"]) == ("result", 0, "verified")
    assert result["link"] == f"http://127.0.0.1:{installation.port}/models/{held.model}/versions/{held.version}/"


def test_ctrl_c_leaves_it_running_and_says_so(
    installation: Installation, index: PackageIndex, held: Submitted, tmp_path: Path
):
    err = tmp_path / "err"
    with err.open("wb") as file, watching(installation, held, stderr=file) as process:
        wait_for(lambda: "dataDownloaded" in err.read_text(), seconds=SECONDS, what="it watches", note=err.read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
    assert f"left {held.model} {held.version}, which goes on" in err.read_text()
    assert f"mop model cancel {held.model} --version {held.version}" in err.read_text()
    assert "Traceback" not in err.read_text()
    index.gate.set()
    installation.wait(held, "verified")


def test_on_a_terminal_every_stage_is_drawn_within_its_width(
    installation: Installation, index: PackageIndex, held: Submitted
):
    columns = 60
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    seen = bytearray()
    with watching(installation, held, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)

        def text() -> str:
            with contextlib.suppress(BlockingIOError, OSError):  # EIO: the other end is closed
                seen.extend(os.read(controller, 65536))
            return ESCAPES.sub("", seen.decode(errors="replace"))

        os.set_blocking(controller, False)
        wait_for(lambda: "· deploymentCreating" in text(), seconds=SECONDS, what="the stages ahead", note=text)
        log = re.compile(r"\n    \S")
        wait_for(lambda: log.search(text()), seconds=SECONDS, what="the running stage's log", note=text)
        index.gate.set()
        link = f"versions/{held.version}/"
        wait_for(lambda: link in text().replace("\r\n", ""), seconds=SECONDS, what="the verdict", note=text)
        assert process.wait(SECONDS) == 0
    os.close(controller)
    end = text_of_the_end(seen)
    assert [line.split()[1] for line in end if line.startswith("✔")] == [*CHAIN]
    assert any(line.startswith("sandbox level ") for line in end)
    assert [line for line in end if len(line) > columns] == []
    assert b"\x1b[?25h" in seen  # the cursor is shown again


def text_of_the_end(seen: bytes) -> list[str]:
    """The last frame and what follows."""
    lines = ESCAPES.sub("", bytes(seen).decode(errors="replace")).replace("\r", "").split("\n")
    begin = max(number for number, line in enumerate(lines) if "watched for" in line)
    return [line for line in lines[begin + 1 :] if not line.startswith("verified ")]  # the verdict has the whole link
