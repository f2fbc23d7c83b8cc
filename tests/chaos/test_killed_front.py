"""A front that is killed takes along every model process and all that these started, caged or not."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import mop_utils
from mop.errors import DeploymentCrashedError, DeploymentTimeoutError, MopError
from mop.sandbox import Job, Limits, Mount, Sandbox, SandboxLevel, probe_sandbox, python_mounts, unconfined
from mop.serving.config import MODEL_CAUSES, MODEL_PROCESS, ServiceConfig, model_process_argv
from mop.serving.local_host import LocalServiceHost
from mop.serving.local_service import LocalService
from mop.serving.service import ServiceRequest
from mop.serving_options import ServerMode
from support.traces import Process, processes_of
from support.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.sandbox, pytest.mark.second_tier]
MIB = 1 << 20
LEVELS = [
    pytest.param(SandboxLevel.NONE, id="uncaged"),
    pytest.param(SandboxLevel.LANDLOCK, id="landlock"),
    pytest.param(SandboxLevel.RLIMIT, id="rlimit"),
    pytest.param(SandboxLevel.CGROUP, id="cgroup"),
]

# it ignores SIGTERM, leaves a daemon behind that holds nothing of MOP's, and then holds the interpreter lock for ever
UNRULY = """
import os, re, signal, sys
from mop_utils.base_model_wrapper import BaseModelWrapper

def daemon():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 100)
            while True:
                signal.pause()
        os._exit(0)

def hold():
    os.write(2, b"holds\\n")
    os.closerange(0, 3)
    re.match("(a+)+$", "a" * 60 + "b")

class Unruly(BaseModelWrapper):
    def init(self, model_root):
        daemon()
        {init}

    def inference(self, item):
        hold()

    def inference_batch(self, items):
        hold()

    def convert_mop_input_to_model_input(self, mop_input):
        return mop_input

    def convert_model_output_to_mop_output(self, output):
        return output
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short private folder: of the model, and of the service's socket. It stands in every process's environment."""
    folder = Path(tempfile.mkdtemp(prefix="mop-f-", dir="/tmp"))
    yield folder
    left = processes_of(folder)
    for process in left:
        os.kill(process.pid, signal.SIGKILL)
    shutil.rmtree(folder)
    assert left == []


@pytest.fixture(params=LEVELS)
def sandbox(request: pytest.FixtureRequest, folder: Path) -> Sandbox:
    if request.param == SandboxLevel.NONE:
        return unconfined(runtime_folder=folder)
    try:
        return probe_sandbox(runtime_folder=folder, forced=request.param)
    except MopError as error:
        if request.param != SandboxLevel.CGROUP:
            raise
        return pytest.skip(error.message)


@pytest.fixture(params=["with all signals", "with SIGTERM blocked"])
def _mask(request: pytest.FixtureRequest) -> Iterator[None]:
    """What whoever started the front had blocked."""
    if request.param == "with SIGTERM blocked":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    yield
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


async def start_front(
    sandbox: Sandbox, folder: Path, *, init: str, init_deadline_s: float = 60, server: ServerMode = ServerMode.MOP
) -> LocalService:
    """The front of one unruly model."""
    (folder / "src").mkdir()
    (folder / "model").mkdir()
    (folder / "src" / "inference.py").write_text(UNRULY.replace("{init}", init))
    python = Path(sys.executable)
    mounts = (
        *python_mounts(python),
        Mount(python.parent.parent, str(python.parent.parent)),
        Mount(Path(mop_utils.__file__).parents[1], str(Path(mop_utils.__file__).parents[1])),
        *(Mount(path, str(path)) for path in (MODEL_PROCESS, MODEL_CAUSES, folder / "src", folder / "model")),
    )
    argv = model_process_argv(python, script=str(MODEL_PROCESS), src=str(folder / "src"), model=str(folder / "model"))
    job = Job(
        argv=tuple(argv),
        mounts=mounts,
        env={"MARK": str(folder)},
        cwd="/",
        limits=Limits(cpus=1, memory_bytes=512 * MIB),
    )
    host = LocalServiceHost(folder / "run")
    reservation = await host.reserve(ServiceRequest("unruly", "test", 1, MIB))
    return await host.start(
        reservation, ServiceConfig(command=tuple(sandbox.command(job)), server=server, init_deadline_s=init_deadline_s)
    )


def model_processes(folder: Path) -> list[Process]:
    found = processes_of(folder)
    return [one for one in found if "model_process.py" in one.command and "supervisor.py" not in one.command]


async def holding(service: LocalService, folder: Path) -> None:
    """Wait until the model holds the lock, and its daemon lives."""
    for _ in range(600):
        if any(line.endswith("holds") for line in service.log_lines(0)) and len(model_processes(folder)) > 1:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(service.log_lines(0))


def kill_front(service: LocalService, folder: Path) -> None:
    os.kill(service._front.pid, signal.SIGKILL)
    wait_for(
        lambda: not processes_of(folder),
        seconds=20,
        what="everything ended with the front",
        note=lambda: "\n".join(f"{one.pid} {one.command[:200]}" for one in processes_of(folder)),
    )


@pytest.mark.usefixtures("_mask")
async def test_in_init(sandbox: Sandbox, folder: Path):
    service = await start_front(sandbox, folder, init="hold()")
    await holding(service, folder)
    kill_front(service, folder)
    await service.stop()


@pytest.mark.parametrize("server", ServerMode)
async def test_in_a_request(sandbox: Sandbox, folder: Path, server: ServerMode):
    service = await start_front(sandbox, folder, init="pass", server=server)
    await service.wait_ready(60)
    call = asyncio.create_task(service.score({}, mop=False))
    await holding(service, folder)
    kill_front(service, folder)
    with pytest.raises(MopError):
        await call
    await service.stop()


async def test_a_model_that_closes_its_channel_is_ended_with_all_it_started(sandbox: Sandbox, folder: Path):
    # bubblewrap holds the channel too: nothing ends it before the deadline
    service = await start_front(sandbox, folder, init="os.closerange(3, 100); hold()", init_deadline_s=3)
    with pytest.raises(DeploymentCrashedError if sandbox.bwrap is None else DeploymentTimeoutError):
        await service.wait_ready(60)
    assert service._front.returncode is None
    wait_for(lambda: not model_processes(folder), seconds=20, what="the model and its daemon ended")
    await service.stop()
