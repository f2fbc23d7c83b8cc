"""A forked process is to everybody else what an executed one is: what the tests of whole installations rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.forked import ForkedPython, can_be_forked, run_python
from support.traces import processes_of
from support.waiting import wait_for

TOLD = """
import json, os, signal, sys
from django.conf import settings
from django.db import connection
print(json.dumps({
    "argv": sys.argv, "cwd": os.getcwd(), "home": str(settings.MOP_HOME), "option": settings.MOP_WORKER_CONCURRENCY,
    "database": str(connection.settings_dict["NAME"]), "environment": os.environ["MOP_HOME"],
    "session": os.getsid(0) == os.getpid(), "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    "standard input": sys.stdin.read(),
}))
"""
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


def environment(home: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    return inherited | {"MOP_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"} | more


def waiting(home: Path, **options: object) -> ForkedPython:
    """A forked process that waits for its standard input to end."""
    argv = [sys.executable, "-c", WAITS]
    process = ForkedPython(argv, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_each_has_its_own_settings_streams_folder_and_arguments(tmp_path: Path):
    for name, count in (("one", "3"), ("two", "4")):
        home = tmp_path / name
        env = environment(home, MOP_WORKER_CONCURRENCY=count)
        done = run_python([sys.executable, "-c", TOLD, "given"], env=env, stdin="said", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "argv": ["-c", "given"],
            "cwd": str(tmp_path),
            "home": str(home),
            "option": int(count),
            "database": str(home / "mop.db"),
            "environment": str(home),
            "session": False,
            "term": True,
            "standard input": "said",
        }


def test_the_machine_sees_its_command_line_and_its_environment(tmp_path: Path):
    with waiting(tmp_path / "seen") as process:
        (found,) = processes_of(tmp_path / "seen")
        assert (found.pid, found.command) == (process.pid, f"{sys.executable} -c {WAITS}")
        assert process.poll() is None
        process.communicate()
    assert process.returncode == 0
    assert processes_of(tmp_path / "seen") == []


# a run of the tests in the background of a shell passes SIGINT on as ignored, and an executed Python leaves it so
INTERRUPTED = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("import os; os._exit(4)", 4, ""),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        (INTERRUPTED, -2, "KeyboardInterrupt"),
        ("1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_it_ends_as_an_executed_one_does(tmp_path: Path, code: str, status: int, said: str):
    done = run_python([sys.executable, "-c", code], env=environment(tmp_path))
    executed = subprocess.run([sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, check=False)
    assert done.returncode == executed.returncode == status
    assert said in done.stderr


def test_a_signal_ends_it_and_a_session_of_its_own_is_its_own(tmp_path: Path):
    with waiting(tmp_path, start_new_session=True) as process:
        assert os.getsid(process.pid) == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM


def test_no_two_draw_the_same_random_numbers(tmp_path: Path):
    draw = "import random, numpy; print(random.random(), numpy.random.random())"
    drawn = [run_python([sys.executable, "-c", draw], env=environment(tmp_path)).stdout.split() for _ in range(2)]
    assert len({number for numbers in drawn for number in numbers}) == 4


def test_it_ends_with_the_tests(tmp_path: Path):
    """The tests are a process of their own here, which is killed while its fork waits."""
    program = (
        "import os, sys, signal; from test_forked_processes import *\n"
        f"process = waiting(Path({str(tmp_path / 'left')!r}), death_signal=signal.SIGTERM)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    done = subprocess.run([sys.executable, "-c", program], env=env, cwd=Path(__file__).parent, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    wait_for(lambda: processes_of(tmp_path / "left") == [], seconds=20, what="the fork ended with its tests")


def test_what_python_reads_at_its_start_asks_for_a_real_start(tmp_path: Path):
    argv = [sys.executable, "-m", "mop.cli"]
    assert can_be_forked(argv, environment(tmp_path))
    for name in ("PYTHONUTF8", "LC_ALL", "FORCE_COLOR", "DJANGO_SETTINGS_MODULE"):
        assert not can_be_forked(argv, environment(tmp_path, **{name: "1"}))
    assert not can_be_forked(["/bin/true"], environment(tmp_path))
