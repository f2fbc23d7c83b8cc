"""What a job may use, at each level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mop.sandbox import EXIT_MEMORY, EXIT_TIME, Limits, SandboxLevel
from mop.sandbox.affinity import choose_cpus
from sandbox.cage import MIB, Cage

pytestmark = pytest.mark.sandbox

FILL = "held = []\nwhile True: held.append(bytearray(8 << 20))"


def test_a_job_over_its_memory_is_killed_and_told(cage: Cage):
    done = cage.run(FILL, limits={"memory_bytes": 64 * MIB})
    assert done.returncode == EXIT_MEMORY
    assert done.stderr == "mop-sandbox: over the memory limit of 64 MiB\n"


def test_memory_of_all_processes_counts_together(cage: Cage):
    code = (
        "import os, time\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        held = bytearray(24 << 20)\n"
        "        time.sleep(60)\n"
        "os.wait()"
    )
    assert cage.run(code, limits={"memory_bytes": 64 * MIB}).returncode == EXIT_MEMORY


def test_memory_that_forked_processes_share_counts_once(cage: Cage):
    code = (
        "import os\n"
        "held = bytearray(40 << 20)\n"
        "read, write = os.pipe()\n"
        "children = []\n"
        "for _ in range(4):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os.close(write); os.read(read, 1); os._exit(0)\n"
        "    children.append(child)\n"
        "import time; time.sleep(0.5)\n"  # five looks of the watchdog
        "os.close(write)\n"
        "print([os.waitpid(child, 0)[1] for child in children])"
    )
    assert cage.output(code, limits={"memory_bytes": 100 * MIB}) == "[0, 0, 0, 0]"


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_files_on_the_tmpfs_count_as_memory(cage: Cage, folder: str):
    code = f"import time\nwith open('{folder}/file', 'wb') as file: file.write(bytes(90 << 20))\ntime.sleep(60)"
    assert cage.run(code, limits={"memory_bytes": 64 * MIB, "tmpfs_bytes": 120 * MIB}).returncode == EXIT_MEMORY


def test_sockets_of_an_ordinary_number_end_no_job(cage: Cage):
    code = (
        "import socket, time\n"
        "pairs = [socket.socketpair() for _ in range(24)]\n"
        "for _ in range(5): time.sleep(0.1)\n"  # five looks of the watchdog
        "print(len(pairs))"
    )
    assert cage.output(code, limits={"memory_bytes": 64 * MIB}) == "24"


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_the_tmpfs_is_capped(cage: Cage, folder: str):
    code = (
        "import errno\n"
        "try:\n"
        "    for number in range(100):\n"
        f"        with open(f'{folder}/{{number}}', 'wb') as file: file.write(bytes(1 << 20))\n"
        "except OSError as error: print(errno.errorcode[error.errno], number)"
    )
    assert cage.output(code, limits={"tmpfs_bytes": 4 * MIB}) == "ENOSPC 4"


def test_a_fork_bomb_is_contained(cage: Cage):
    code = (
        "import os, time\n"
        "started = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(60); os._exit(0)\n"
        "        started += 1\n"
        "except OSError: print(started)"
    )
    assert int(cage.output(code, limits={"processes": 20})) == 19  # and the job itself


def test_a_bomb_of_daemons_is_contained_and_ended(cage: Cage):
    code = "import os\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass"
    assert cage.run(code, limits={"processes": 20, "seconds": 1}).returncode == EXIT_TIME


def test_a_job_over_its_time_is_killed_and_told(cage: Cage):
    done = cage.run("import signal; signal.signal(15, signal.SIG_IGN); signal.pause()", limits={"seconds": 0.3})
    assert (done.returncode, done.stderr) == (EXIT_TIME, "mop-sandbox: over the time limit of 0.3 s\n")


def test_cpu_time_is_held_to_the_share(cage: Cage):
    code = (
        "import os, time\n"
        "print(len(os.sched_getaffinity(0)), flush=True)\n"
        "begun, used = time.monotonic(), time.process_time()\n"
        "while time.process_time() - used < 0.3: pass\n"
        "print(time.monotonic() - begun)"
    )
    cpus, seconds = cage.output(code, limits={"cpus": 0.25}).split()
    if cage.sandbox.level == SandboxLevel.CGROUP:
        assert float(seconds) > 0.8  # 0.3 s of work at a quarter of a CPU; other load only makes it longer
    else:
        assert cpus == "1"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
@pytest.mark.parametrize("sandbox", [SandboxLevel.RLIMIT], indirect=True, ids=["rlimit"])
def test_a_job_that_widens_its_affinity_is_put_back(cage: Cage):
    code = (
        "import os, time\n"
        "os.sched_setaffinity(0, range(os.cpu_count()))\n"
        "print(len(os.sched_getaffinity(0)))\n"
        "while len(os.sched_getaffinity(0)) > 1: time.sleep(0.01)\n"
        "print('put back')"
    )
    assert cage.output(code).split(maxsplit=1)[1] == "put back"


def test_open_files_and_core_dumps_are_limited(cage: Cage):
    kinds = "(r.RLIMIT_NOFILE, r.RLIMIT_CORE, r.RLIMIT_AS)"
    code = f"import resource as r; print(*(r.getrlimit(kind) for kind in {kinds}))"
    assert cage.output(code, limits={"open_files": 128}) == "(128, 128) (0, 0) (-1, -1)"


def test_a_file_is_no_larger_than_the_tmpfs(cage: Cage):
    code = "import os\ntry: os.truncate(os.memfd_create('f'), 8 << 20)\nexcept OSError as error: print(error.strerror)"
    # without a control group nobody could count such a file, so there is none
    told = "File too large" if cage.sandbox.controllers else "Operation not permitted"
    assert cage.output(code, limits={"tmpfs_bytes": 4 * MIB}) == told


def test_what_is_granted_is_the_lesser_of_asked_and_there(cage: Cage):
    granted = cage.sandbox.granted(Limits(cpus=4096, memory_bytes=1 << 60))
    assert granted.cpus == len(os.sched_getaffinity(0))
    assert granted.memory_bytes <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    small = cage.sandbox.granted(Limits(cpus=1, memory_bytes=64 * MIB))
    assert (small.cpus, small.memory_bytes, small.level) == (1, 64 * MIB, cage.sandbox.level)
    assert small.to_dict()["level"] in (1, 2)
    assert small.parts[0] == "bubblewrap"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_jobs_take_different_cpus_while_there_are_enough(tmp_path: Path):
    allowed = os.sched_getaffinity(0)
    first, second = choose_cpus(1, str(tmp_path)), choose_cpus(1, str(tmp_path))
    assert first != second
    assert len(choose_cpus(1, str(tmp_path))) == 1
    assert choose_cpus(4096, str(tmp_path)) == allowed
