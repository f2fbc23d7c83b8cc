from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cli.commands import all_ended, children_of, following, free_port, mop, started, watched
from mop.cli.supervisor import dies_with_us
from support.prepared import copy_tables

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("cli-up")]  # one process, one installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One installation for this file: static files are gathered once. The browser's begin with an empty one."""
    home = tmp_path_factory.mktemp("up")
    copy_tables(home)
    return home


@pytest.fixture
def up(tmp_path: Path, installation: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`mop up` on a free port, ready, and its address."""
    with started("up", "--port", str(free_port()), home=tmp_path, executed=True, MOP_HOME=str(installation)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("MOP is at "), (tmp_path / "stderr").read_text()
        yield process, line.removeprefix("MOP is at ").strip()


def the_worker(process: subprocess.Popen[str]) -> int:
    (worker,) = [pid for pid in children_of(process.pid) if b"mop.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return worker


def test_it_serves_the_portal_says_how_to_add_a_user_and_stops_its_parts(
    up: tuple[subprocess.Popen[str], str], tmp_path: Path
):
    process, address = up
    page = httpx.get(f"{address}/accounts/login/")
    assert page.status_code == 200
    assert httpx.get(f"{address}/api/v1/models").json()["name"] == "NotAuthenticatedError"
    assert "mop createuser NAME --admin" in (tmp_path / "stderr").read_text()
    # the driver of a database that it does not use: see mop.engine.library
    assert "psycopg" not in Path(f"/proc/{the_worker(process)}/maps").read_text(encoding="utf-8")
    with watched(*children_of(process.pid)) as parts:
        assert len(parts) == 2
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert all_ended(parts)


def test_a_killed_worker_is_started_again(up: tuple[subprocess.Popen[str], str], tmp_path: Path):
    process, address = up
    before = the_worker(process)
    with watched(before) as worker:
        os.kill(before, signal.SIGKILL)
        assert all_ended(worker)
    # the portal goes on meanwhile; the new worker's line comes on stderr
    assert httpx.get(f"{address}/accounts/login/").status_code == 200
    with following(tmp_path / "stderr") as lines:
        starts = (line for line in lines if "takes work" in line)
        assert next(starts)
        assert next(starts)
    assert the_worker(process) != before
    assert "the worker ended with status -9; starting it again in 1 s" in (tmp_path / "stderr").read_text()


def test_a_worker_that_is_drained_is_not_started_again(up: tuple[subprocess.Popen[str], str], tmp_path: Path):
    process, address = up
    with watched(the_worker(process)) as worker:
        os.kill(the_worker(process), signal.SIGUSR1)
        assert all_ended(worker)
    with following(tmp_path / "stderr") as lines:
        assert next(line for line in lines if "the worker ended as it was asked to; the other parts go on" in line)
    assert httpx.get(f"{address}/accounts/login/").status_code == 200


def test_nothing_outlives_a_killed_mop_up(up: tuple[subprocess.Popen[str], str]):
    process, address = up
    parts = children_of(process.pid)
    with watched(*parts, *(child for part in parts for child in children_of(part))) as everything:
        process.kill()
        process.wait()
        assert all_ended(everything)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_part_hears_signals_that_its_starter_had_blocked():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        part = subprocess.Popen(["sleep", "60"], preexec_fn=dies_with_us())  # noqa: PLW1509 - what is tested
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    part.terminate()
    assert part.wait(timeout=30) == -signal.SIGTERM


def test_a_taken_port_is_64_before_anything_starts(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = mop("up", "--port", str(taken.getsockname()[1]), home=tmp_path)
    assert (result.code, result.out) == (64, "")
    assert "--port" in result.err
    assert not (tmp_path / "installation").exists()


def test_a_part_that_can_not_start_ends_it_with_70(tmp_path: Path):
    result = mop("up", "--port", str(free_port()), home=tmp_path, MOP_DATABASE_URL="postgresql://127.0.0.1:9/none")
    assert (result.code, result.out) == (70, "")
    assert "Preparing the database ended with status" in result.err
