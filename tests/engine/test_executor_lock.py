from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mop.engine.runtime import ExecutorLock

HOLD = """
import sys
from pathlib import Path
from mop.engine.runtime import ExecutorLock
lock = ExecutorLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def test_one_holder_at_a_time_and_its_pid_in_the_file(tmp_path: Path):
    path = tmp_path / "workers" / "w1.lock"
    first, second = ExecutorLock(path), ExecutorLock(path)
    assert first.acquire()
    assert path.read_text() == str(os.getpid())
    assert not second.acquire()
    assert path.read_text() == str(os.getpid())
    first.release()
    assert second.acquire()
    second.release()
    second.release()


def test_a_killed_process_gives_its_name_back(tmp_path: Path):
    path = tmp_path / "w1.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        lock = ExecutorLock(path)
        assert not lock.acquire()
        holder.kill()
        holder.wait()
        assert lock.acquire()
        lock.release()
