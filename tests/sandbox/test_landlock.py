"""Level 3: no namespaces, so Landlock, the filter of system calls and the watchdog hold the job on the host itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mop.errors import SandboxUnavailableError
from mop.sandbox import EXIT_MEMORY, EXIT_TIME, Job, Limits, Mount, Sandbox, SandboxLevel, probe_sandbox, python_mounts
from mop.sandbox.landlock import SCOPES_SIGNALS
from mop.sandbox.landlocked import sweep_folders
from sandbox.cage import MIB, PYTHON, Cage
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox

ATTEMPT = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def tried(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
"""


@pytest.fixture(scope="module")
def strongest(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return probe_sandbox(runtime_folder=tmp_path_factory.mktemp("runtime"), forced=SandboxLevel.LANDLOCK)


@pytest.fixture(params=["separate user", "same user", "oldest Landlock"])
def landlocked(request: pytest.FixtureRequest, strongest: Sandbox) -> Sandbox:
    if request.param == "same user":
        return replace(strongest, service_uid=None)
    if request.param == "oldest Landlock":
        return replace(strongest, service_uid=None, landlock=1)
    if strongest.service_uid is None:
        pytest.skip("only root has another user to run jobs as")
    return strongest


@pytest.fixture
def cage(landlocked: Sandbox) -> Iterator[Cage]:
    cage = Cage(landlocked, f"t{os.urandom(6).hex()}")
    yield cage
    assert cage.processes() == []
    assert folders_of(landlocked) == []


def folders_of(sandbox: Sandbox) -> list[Path]:
    """The private folders of its jobs."""
    return [*sandbox.runtime_folder.glob("mop-*-tmp")]


def test_it_is_tried_only_when_it_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.sandbox.probe._PLACES", str(tmp_path))
    with pytest.raises(SandboxUnavailableError):
        probe_sandbox(runtime_folder=tmp_path)
    sandbox = probe_sandbox(runtime_folder=tmp_path, minimum=SandboxLevel.LANDLOCK)
    assert sandbox.level == SandboxLevel.LANDLOCK
    assert "seccomp" in sandbox.granted(Limits(cpus=1, memory_bytes=MIB)).parts


def test_files_of_the_host_can_be_neither_read_nor_written(cage: Cage, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o666)
    told = cage.output(
        ATTEMPT
        + f"""
print(tried(open, {str(secret)!r}), tried(open, {str(secret)!r}, "w"), tried(os.listdir, "/etc"),
      tried(os.truncate, {str(secret)!r}, 0), tried(os.unlink, {str(secret)!r}), tried(os.mkdir, "/var/tmp/mop-x"),
      tried(os.listdir, "/proc/1"), tried(os.listdir, "/proc"), tried(open, "/proc/{os.getpid()}/environ"))
"""
    )
    assert set(told.split()) <= {"EACCES", "EPERM", "ENOENT"}
    assert secret.read_text() == "secret"


def test_modes_owners_and_times_of_files_stay(cage: Cage, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    mine.chmod(0o640)
    os.utime(mine, (1000, 1000))
    cage.output(
        ATTEMPT
        + f"""
for call, more in ((os.chmod, (0o777,)), (os.chown, (1, 1)), (os.utime, ((1, 1),)), (os.setxattr, ("user.a", b"1"))):
    tried(call, {str(mine)!r}, *more)
"""
    )
    state = mine.stat()
    assert (state.st_mode & 0o777, state.st_uid, state.st_mtime) == (0o640, os.getuid(), 1000)


def test_its_own_folder_is_writable_and_goes_with_it(cage: Cage):
    told = cage.output(
        "import os, shutil, tempfile\n"
        "open('a', 'w').write('a'); shutil.copy('a', 'b'); os.mkdir('c'); os.rename('b', 'd')\n"
        "print(os.getcwd() == os.environ['HOME'] == tempfile.gettempdir(), open('d').read())"
    )
    assert told == "True a"


def test_nobody_else_can_be_signalled_or_traced(cage: Cage):
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as other:
        told = cage.output(
            ATTEMPT
            + f"""
import resource, signal
print(tried(os.kill, {other.pid}, signal.SIGKILL), tried(os.kill, os.getppid(), signal.SIGKILL),
      tried(signal.pidfd_send_signal, os.pidfd_open({other.pid}), signal.SIGKILL),
      tried(resource.prlimit, {other.pid}, resource.RLIMIT_NOFILE, (1, 1)),
      tried(os.sched_setaffinity, {other.pid}, os.sched_getaffinity(0)),
      libc.ptrace(16, {other.pid}, 0, 0))
os.kill(os.getpid(), 0)
os.sched_setaffinity(0, os.sched_getaffinity(0))
"""
        )
        assert told.split() == ["EPERM"] * 5 + ["-1"]
        assert other.poll() is None
        other.communicate(b"\n")


def test_its_own_children_can_be_signalled(cage: Cage):
    code = (
        "import os, signal, time\npid = os.fork() or time.sleep(5) or os._exit(0)\n"
        "try: os.kill(pid, signal.SIGKILL)\nexcept PermissionError: pass\nprint(os.wait()[1])"
    )
    # without signal scopes in Landlock the filter cannot tell its children from others
    assert cage.output(code) == str(int(signal.SIGKILL) if cage.sandbox.landlock >= SCOPES_SIGNALS else 0)


def test_there_is_no_network(cage: Cage):
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = cage.output(
            ATTEMPT
            + f"""
import socket
print(tried(socket.create_connection, ("127.0.0.1", {server.getsockname()[1]})),
      *(tried(socket.socket, family, kind) for family in (1, 2, 10, 16, 40) for kind in (1, 2)))
socket.socketpair()
"""
        )
    assert set(told.split()) == {"EACCES"}


def test_no_shared_memory_or_queue_of_the_host_is_reached(cage: Cage):
    told = cage.output(
        ATTEMPT
        + """
print(libc.shmget(0, 4096, 0o1666), libc.msgget(7, 0o1666), libc.semget(7, 1, 0o1666), tried(os.memfd_create, "a"))
"""
    )
    assert told.split() == ["-1", "-1", "-1", "EPERM"]


def test_it_has_no_capability_and_gets_none(cage: Cage):
    told = cage.output(
        "status = dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines())\n"
        "print(status['CapEff'], status['CapPrm'], status['NoNewPrivs'], status['Seccomp'])"
    )
    assert told.split() == ["0" * 16, "0" * 16, "1", "2"]


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("held = []\nwhile True: held.append(bytearray(8 << 20))", EXIT_MEMORY, "memory limit"),
        ("n = 0\nwhile True: n += 1; open(f'f{n}', 'wb').write(bytes(4 << 20))", EXIT_MEMORY, "memory limit"),
        ("import os, time\nwhile True: os.fork() or time.sleep(60)", EXIT_MEMORY, "limit of 40 processes"),
        ("import time; time.sleep(600)", EXIT_TIME, "time limit"),
    ],
    ids=["memory", "files", "processes", "time"],
)
def test_its_limits_hold(cage: Cage, code: str, status: int, reason: str):
    seconds = 1 if status == EXIT_TIME else 60
    # hundreds of processes may stand before the watchdog looks: what they take must not be over first
    memory = 64 * MIB if "memory" in reason else 4096 * MIB
    done = cage.run(code, limits={"memory_bytes": memory, "processes": 40, "seconds": seconds})
    assert (done.returncode, reason in done.stderr) == (status, True), done


def test_daemons_end_with_the_job(cage: Cage):
    done = cage.run(
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: time.sleep(600)\n  os._exit(0)"
    )
    assert done.returncode == 0


def test_a_writable_mount_is_written_and_nothing_beside_it(cage: Cage, tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    cage.sandbox.make_writable(work)
    code = ATTEMPT + f"open({str(work / 'a')!r}, 'w').write('a'); print(tried(open, {str(tmp_path / 'b')!r}, 'w'))"
    assert cage.output(code, mounts=(Mount(work, str(work), writable=True),)) == "EACCES"
    assert (work / "a").read_text() == "a"


def test_a_mount_can_only_appear_where_it_is(landlocked: Sandbox, tmp_path: Path):
    job = Job(argv=("/bin/true",), mounts=(Mount(tmp_path, "/elsewhere"),), limits=Limits(cpus=1, memory_bytes=MIB))
    with pytest.raises(ValueError, match="level 3"):
        landlocked.command(job)


def started(cage: Cage, code: str) -> subprocess.Popen[bytes]:
    """A job that has said `up`; its standard error is read to the end by `communicate`."""
    job = subprocess.Popen(
        cage.command(code),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert job.stdout is not None
    assert job.stdout.readline() == b"up\n"
    return job


DAEMONS = """
import os, signal, time
signal.signal(15, signal.SIG_IGN)
read, write = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.environ.clear()
            os.write(write, b"x")
            time.sleep(600)
        os._exit(0)
for _ in range(3):
    os.read(read, 1)
print("up", flush=True)
time.sleep(600)
"""
COMETS = """
import os
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        while True:
            if os.fork():
                os._exit(0)
os.write(1, b"up\\n")
while True:
    try:
        os.wait()
    except ChildProcessError:
        pass
"""
"""Twenty chains of processes of which each forks the next and ends."""


def supervisor_of(guard: int) -> int:
    return int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])


@pytest.mark.parametrize("code", [DAEMONS, COMETS], ids=["daemons", "comets"])
@pytest.mark.parametrize("killed", ["guard", "its group", "supervisor"])
def test_whichever_is_killed_everything_ends_with_it(cage: Cage, killed: str, code: str):
    job = started(cage, code)
    if killed == "supervisor":
        os.kill(supervisor_of(job.pid), signal.SIGKILL)
        job.communicate(timeout=60)
        assert job.returncode == 128 + signal.SIGKILL
        return  # it has ended after all else, as the fixture finds
    if killed == "guard":
        job.kill()
    else:
        os.killpg(job.pid, signal.SIGKILL)
    job.communicate(timeout=60)  # standard error stays open until the supervisor has ended
    assert job.returncode == -signal.SIGKILL


def test_what_forks_without_end_ends_with_sigterm(cage: Cage):
    job = started(cage, COMETS)
    job.terminate()
    job.communicate(timeout=60)
    assert job.returncode == 128 + signal.SIGTERM


def test_what_is_left_when_guard_and_supervisor_are_killed_at_once_is_swept(landlocked: Sandbox):
    cage = Cage(landlocked, f"t{os.urandom(6).hex()}")
    code = "import os, time\nif os.fork() == 0:\n  os.setsid()\nelse:\n  print('up', flush=True)\ntime.sleep(600)"
    with started(cage, code) as guard:
        supervisor = supervisor_of(guard.pid)
        os.kill(guard.pid, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        guard.kill()
    wait_for(lambda: sweep_folders(str(landlocked.runtime_folder)) != [], seconds=20, what="the folder was swept")
    wait_for(lambda: cage.processes() == [], seconds=20, what="the daemon ended")
    assert folders_of(landlocked) == []


def test_the_interpreter_of_the_cage_is_the_one_given(landlocked: Sandbox):
    job = Job(
        argv=(str(PYTHON), "-I", "-S", "-c", "import sys; print(sys.executable)"),
        mounts=python_mounts(PYTHON),
        limits=Limits(cpus=1, memory_bytes=64 * MIB),
    )
    done = subprocess.run(landlocked.command(job), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(PYTHON)
