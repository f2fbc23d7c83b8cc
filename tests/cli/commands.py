"""Running `mop` in tests: in this process, or as a process of its own."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mop.cli.main import run
from support.forked import execute, python, run_python

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "samples"
MOP = (sys.executable, "-m", "mop.cli")
# a test run in a shell's background hands on that SIGINT is ignored
INTERRUPTIBLE = ("env", "--default-signal=INT")
SECONDS = 150


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as one JSON document."""
        return json.loads(self.out)


def mop(*arguments: str, home: Path, stdin: str = "", seconds: float = SECONDS, **env: str) -> Result:
    """Run the command as a process of its own, with an installation of its own."""
    done = run_python([*MOP, *arguments], stdin=stdin, timeout=seconds, cwd=home, env=environment(home, env))
    return Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def started(*arguments: str, home: Path, executed: bool = False, **env: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs; it is killed at the end if it still does.

    Args:
        arguments: of the command.
        home: its installation and its configuration are there.
        executed: never forked from the fork server.
        env: more of its environment.
    """
    start, before = (execute, INTERRUPTIBLE) if executed else (python, ())
    process = start(
        [*before, *MOP, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(home / "stderr").open("w"),
        text=True,
        cwd=home,
        env=environment(home, env),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with an installation and a configuration folder in `home`; nobody else is asked."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "DJANGO_"))}
    own = {"MOP_HOME": str(home / "installation"), "XDG_CONFIG_HOME": str(home / "config"), "MOP_ADVISORIES": "off"}
    return kept | own | dict(more)


def mop_here(capsys: pytest.CaptureFixture[str], *arguments: str) -> Result:
    """Run the command in this process."""
    capsys.readouterr()
    code = run(list(arguments))
    captured = capsys.readouterr()
    return Result(code, captured.out, captured.err)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children_of(pid: int) -> list[int]:
    """Living direct children of a process."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def following(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a file, as they are written; the test's time limit ends the wait for one that never comes."""
    with subprocess.Popen(["tail", "-n", "+1", "-f", path], stdout=subprocess.PIPE, text=True) as tail:
        try:
            yield iter(tail.stdout or ())
        finally:
            tail.kill()


@contextmanager
def watched(*pids: int) -> Iterator[list[int]]:
    """Descriptors that become readable when these processes end; they need not be our children."""
    descriptors = [os.pidfd_open(pid) for pid in pids]
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def all_ended(descriptors: list[int], seconds: float = 20) -> bool:
    """Whether every watched process ended within the time."""
    deadline = time.monotonic() + seconds
    left = list(descriptors)
    while left and (remaining := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select(left, [], [], remaining)
        left = [descriptor for descriptor in left if descriptor not in readable]
    return not left
