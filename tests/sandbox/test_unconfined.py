"""Without a cage the limits that need none still hold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mop.sandbox import EXIT_MEMORY, EXIT_TIME, Job, Limits, Mount, SandboxLevel, unconfined
from sandbox.cage import MIB


def _run(folder: Path, code: str, mounts: tuple[Mount, ...] = (), **limits: float) -> subprocess.CompletedProcess[str]:
    sandbox = unconfined(runtime_folder=folder / "runtime")
    job = Job(
        argv=(sys.executable, "-I", "-S", "-c", code),
        mounts=mounts,
        cwd=str(folder),
        env={"MODEL": "here"},
        limits=Limits(**{"cpus": 1, "memory_bytes": 256 * MIB, "seconds": 60, **limits}),
    )
    return subprocess.run(sandbox.command(job), capture_output=True, text=True, check=False)


def test_the_job_runs_in_its_folder_with_its_environment_and_status(tmp_path: Path):
    done = _run(tmp_path, "import os; print(os.getcwd(), os.environ['MODEL']); raise SystemExit(3)")
    assert (done.returncode, done.stdout) == (3, f"{tmp_path} here\n")


def test_memory_of_the_tree_is_watched(tmp_path: Path):
    code = "import os\nos.fork()\nheld = []\nwhile True: held.append(bytearray(8 << 20))"
    assert _run(tmp_path, code, memory_bytes=64 * MIB).returncode == EXIT_MEMORY


def test_the_deadline_ends_daemons_too(tmp_path: Path):
    code = "import os, signal\nif os.fork() == 0: os.setsid(); os.fork()\nsignal.pause()"
    assert _run(tmp_path, code, seconds=0.3).returncode == EXIT_TIME


@pytest.mark.parametrize("killed", ["guard", "supervisor"])
def test_whichever_is_killed_daemons_end_too(tmp_path: Path, killed: str):
    code = (
        "import os, signal\nsignal.signal(15, signal.SIG_IGN)\nif os.fork() == 0: os.setsid(); os.fork()\n"
        "os.write(1, b'up\\n')\nsignal.pause()"
    )
    job = Job(
        argv=(sys.executable, "-I", "-S", "-c", code),
        mounts=(),
        cwd=str(tmp_path),
        limits=Limits(cpus=1, memory_bytes=256 * MIB, seconds=60),
    )
    command = unconfined(runtime_folder=tmp_path / "runtime").command(job)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert [started.stdout.readline() for _ in range(3)] == [b"up\n"] * 3
        if killed == "guard":
            started.kill()
        else:
            children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text()
            os.kill(int(children.split()[0]), signal.SIGKILL)
        started.communicate(timeout=60)  # until the last process that holds the pipes has ended
        assert started.returncode == (-signal.SIGKILL if killed == "guard" else 128 + signal.SIGKILL)


def test_a_mount_can_only_appear_where_it_is(tmp_path: Path):
    assert _run(tmp_path, "pass", (Mount(tmp_path, str(tmp_path)),)).returncode == 0
    with pytest.raises(ValueError, match="at level 0"):
        _run(tmp_path, "pass", (Mount(tmp_path, "/mop/src"),))


def test_it_says_that_it_is_no_sandbox(tmp_path: Path):
    granted = unconfined(runtime_folder=tmp_path).granted(Limits(cpus=1, memory_bytes=MIB))
    assert granted.level == SandboxLevel.NONE
    assert granted.parts == ("memory watchdog", "cpu affinity", "rlimits")
