"""How a job starts, talks and ends; nothing is left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mop.sandbox import EXIT_SETUP, Job, Limits, Mount, SandboxLevel, python_mounts
from mop.sandbox.cgroups import sweep
from sandbox.cage import MIB, PYTHON, Cage

pytestmark = pytest.mark.sandbox

FAMILY = """
import os, signal
os.fork()
if os.fork() == 0:
    os.setsid()
    os.fork()
signal.signal(15, signal.SIG_IGN)
os.write(1, b"up\\n")
signal.pause()
"""
"""Six processes, some of them daemons, that ignore SIGTERM; each says up."""


def _start_family(cage: Cage, command: list[str]) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert started.stdout
    assert [started.stdout.readline() for _ in range(6)] == [b"up\n"] * 6
    assert len(cage.processes()) >= 6
    return started


def _wait_for_all(started: subprocess.Popen[bytes]) -> None:
    """Both pipes end when the last process that holds them has ended, whoever its parent is."""
    started.communicate()


def test_the_exit_status_is_the_jobs_own(cage: Cage):
    assert cage.run("raise SystemExit(7)").returncode == 7
    assert cage.run("pass").returncode == 0


def test_a_signal_that_kills_the_job_shows_in_its_status(cage: Cage):
    done = cage.run("import os; os.kill(os.getpid(), 9)")
    assert (done.returncode, done.stderr) == (128 + signal.SIGKILL, "")


def test_streams_are_the_jobs_own(cage: Cage):
    command = cage.command("import sys; print(sys.stdin.read()[::-1]); print('told', file=sys.stderr)")
    done = subprocess.run(command, input="abc", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cba\n", "told\n")


def test_stdin_may_be_a_socketpair_that_works_both_ways(cage: Cage):
    ours, theirs = socket.socketpair()
    code = (
        "import socket\n"
        "channel = socket.socket(fileno=0)\n"
        "while True:\n"
        "    data = channel.recv(65536)\n"
        "    if not data: break\n"
        "    channel.sendall(data.upper())"
    )
    with ours, subprocess.Popen(cage.command(code), stdin=theirs) as started:
        theirs.close()
        for _ in range(100):
            ours.sendall(b"frame")
            assert ours.recv(100) == b"FRAME"
        ours.shutdown(socket.SHUT_WR)
        assert ours.recv(100) == b""
        assert started.wait() == 0


def test_what_the_job_leaves_running_ends_with_it(cage: Cage):
    code = "import os, signal\nif os.fork() == 0:\n    os.setsid(); signal.pause()\nprint('done')"
    assert cage.output(code) == "done"


def test_sigterm_ends_the_job_at_once(cage: Cage):
    started = _start_family(cage, cage.command(FAMILY))
    started.terminate()
    assert started.wait() == 128 + signal.SIGTERM
    _wait_for_all(started)
    assert cage.processes() == []


def test_a_killed_supervisor_takes_the_job_along(cage: Cage):
    started = _start_family(cage, cage.command(FAMILY))
    started.kill()
    _wait_for_all(started)
    assert cage.processes() == []
    swept = [name for name in sweep(list(cage.sandbox.controllers)) if cage.token in name]
    assert len(swept) == len(cage.sandbox.controllers)


def test_the_sweep_leaves_living_jobs_alone(cage: Cage):
    started = _start_family(cage, cage.command(FAMILY))
    sweep(list(cage.sandbox.controllers))
    assert len(cage.cgroups()) == len(cage.sandbox.controllers)
    assert started.poll() is None
    started.terminate()
    _wait_for_all(started)


def test_a_killed_spawner_takes_supervisor_and_job_along(cage: Cage):
    spawner = f"import subprocess; subprocess.run({cage.command(FAMILY)!r})"
    started = _start_family(cage, [sys.executable, "-c", spawner])
    started.kill()
    _wait_for_all(started)
    assert cage.processes() == []


def test_signals_that_the_spawner_blocked_still_end_the_job(cage: Cage):
    block = "import signal, subprocess; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"
    started = _start_family(cage, [sys.executable, "-c", f"{block}; subprocess.run({cage.command(FAMILY)!r})"])
    started.kill()
    _wait_for_all(started)
    assert cage.processes() == []


def test_a_cage_that_can_not_be_set_up_says_why(cage: Cage, tmp_path: Path):
    command = cage.command("pass", cwd="/nowhere")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_SETUP
    assert "/nowhere" in done.stderr
    assert done.stderr.endswith("mop-sandbox: bubblewrap could not set up the cage\n")


def test_a_source_that_vanished_is_named(cage: Cage, tmp_path: Path):
    source = tmp_path / "model"
    source.mkdir()
    command = cage.command("pass", mounts=(Mount(source, "/mop/model"),))
    source.rmdir()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_SETUP
    assert "No such file or directory" in done.stderr


def test_one_command_can_run_many_times_side_by_side(cage: Cage):
    command = cage.command("import sys; sys.stdout.write(sys.stdin.read())")
    jobs = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [job.communicate(str(number))[0] for number, job in enumerate(jobs)] == ["0", "1", "2", "3"]


def test_the_python_of_an_environment_runs_inside(cage: Cage, tmp_path: Path):
    environment = tmp_path / "environment"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    job = Job(
        argv=(str(python), "-c", "import sys, ssl, sqlite3; print(sys.prefix)"),
        mounts=(*python_mounts(python), Mount(environment, str(environment))),
        limits=Limits(cpus=1, memory_bytes=256 * MIB, seconds=60),
    )
    done = subprocess.run(cage.sandbox.command(job), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{environment}\n", "")


def test_text_of_any_language_reaches_the_job(cage: Cage):
    assert cage.output("import os; print(os.environ['TEXT'])", env={"TEXT": "ü\nö"}) == "ü\nö"


def test_the_supervisor_takes_little_memory(cage: Cage):
    started = _start_family(cage, cage.command(FAMILY))
    status = Path(f"/proc/{started.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])
    started.terminate()
    _wait_for_all(started)
    assert resident < 32 * MIB // 1024


def test_level_1_holds_by_control_groups_and_level_2_by_itself(cage: Cage):
    parts = set(cage.sandbox._parts())
    if cage.sandbox.level == SandboxLevel.CGROUP:
        assert any(part.startswith("cgroup") and part.endswith("memory") for part in parts)
    else:
        assert parts == {"bubblewrap", "seccomp", "memory watchdog", "cpu affinity", "process rlimit", "rlimits"}
