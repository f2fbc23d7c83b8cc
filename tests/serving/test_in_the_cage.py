"""A whole service whose model processes run in the real sandbox."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mop_utils
from mop.errors import DeploymentCrashedError, RequestDeadlineError
from mop.sandbox import Job, Limits, Mount, Sandbox, SandboxLevel, probe_sandbox, python_mounts
from mop.serving.config import MODEL_CAUSES, MODEL_PROCESS, model_process_argv
from mop.serving_options import ServerMode
from serving.conftest import MakeModel, StartService
from serving.probes import descendants, gone

pytestmark = pytest.mark.sandbox
MIB = 1 << 20

BODY = """
def inference(self, item):
    if item == "loop":
        while True: pass
    if item == "eat":
        self.eaten = bytearray(os.urandom(1 << 20) * 600)
    if item == "call":
        import socket
        socket.create_connection(("192.0.2.1", 80), timeout=5)
    return item
"""
Caged = Callable[[Path], tuple[str, ...]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return probe_sandbox(runtime_folder=tmp_path_factory.mktemp("runtime"), minimum=SandboxLevel.RLIMIT)


@pytest.fixture
def caged(sandbox: Sandbox) -> Caged:
    """The command of a caged model process for a model folder."""

    def command(folder: Path) -> tuple[str, ...]:
        python = Path(sys.executable)
        sdk = Path(mop_utils.__file__).parent
        mounts = (
            *python_mounts(python),
            Mount(python.parent.parent, str(python.parent.parent)),
            Mount(MODEL_PROCESS, "/mop/model_process.py"),
            Mount(MODEL_CAUSES, "/mop/model_causes.py"),
            Mount(sdk.parent, str(sdk.parent)),
            Mount(folder / "src", "/mop/src"),
            Mount(folder / "model", "/mop/model"),
        )
        argv = model_process_argv(python, script="/mop/model_process.py", src="/mop/src", model="/mop/model")
        limits = Limits(cpus=1, memory_bytes=300 * MIB)
        return tuple(sandbox.command(Job(argv=tuple(argv), mounts=mounts, env={}, cwd="/mop/src", limits=limits)))

    return command


@pytest.mark.parametrize("server", ServerMode)
async def test_a_caged_service_answers_and_leaves_nothing(
    make_model: MakeModel, start: StartService, caged: Caged, server: ServerMode
):
    folder = make_model(BODY)
    service = await start(folder, command=caged(folder), server=server, workers=2)
    assert await asyncio.gather(*(service.score(n, mop=False) for n in range(50))) == list(range(50))
    pids = descendants(service._front.pid)
    assert len(pids) >= 2
    await service.stop()
    await asyncio.gather(*(gone(pid) for pid in pids))


@pytest.mark.parametrize("server", ServerMode)
async def test_a_caged_model_past_its_deadline_is_replaced(
    make_model: MakeModel, start: StartService, caged: Caged, server: ServerMode
):
    folder = make_model(BODY)
    service = await start(folder, command=caged(folder), server=server, request_deadline_s=1)
    with pytest.raises(RequestDeadlineError):
        await service.score("loop", mop=False)
    assert await service.score("fine", mop=False) == "fine"


async def test_a_caged_model_over_its_memory_is_told_so(make_model: MakeModel, start: StartService, caged: Caged):
    folder = make_model(BODY)
    service = await start(folder, command=caged(folder))
    with pytest.raises(DeploymentCrashedError, match="memory limit"):
        await service.score("eat", mop=False)
    assert await service.score("fine", mop=False) == "fine"


async def test_a_network_call_in_the_cage_says_that_there_is_none(
    make_model: MakeModel, start: StartService, caged: Caged
):
    folder = make_model(BODY)
    service = await start(folder, command=caged(folder))
    with pytest.raises(Exception, match="services have no network"):
        await service.score("call", mop=False)
