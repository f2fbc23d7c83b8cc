"""The services that are compared, ours and the stack that MOP replaces, and the clients' process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, Self

from service_models import ModelFolder
from service_process import ServerProcess, free_port

from mop.serving.config import BatchPolicy, ServiceConfig, model_process_argv
from mop.serving.local_host import LocalServiceHost
from mop.serving.local_service import LocalService
from mop.serving.service import ServiceRequest
from mop.serving_options import ServerMode

THREADS = 8
BATCHING = {"max_batch_size": 12, "idle_batch_size": 3, "max_batch_interval": 0.002}

SCORE = """
import json, os
from mop_utils.inference_wrapper import build_response, mop_init, mop_run

def init():
    mop_init(os.environ["AZUREML_MODEL_DIR"], {batching})

def run(raw_data):
    return build_response(mop_run(json.loads(raw_data)))
"""


class Stack(Protocol):
    """A running service.

    Attributes:
        path: where it takes a request.
        bodies: a file of its own form of the requests, one a line; None: the clients' own.
    """

    address: str
    path: str
    bodies: Path | None

    def pause(self) -> None:
        """Use no CPU until `resume`."""

    def resume(self) -> None:
        """Answer again."""


class OurService:
    """A front with its model processes; idle it uses nothing, so there is nothing to pause."""

    path = "/score"
    bodies: Path | None = None

    def __init__(self, service: LocalService) -> None:
        self.service = service
        self.address = service.address
        self.front_pid = _children(os.getpid(), "mop.serving.")[-1]

    def model_pids(self) -> list[int]:
        """Its model processes."""
        return _children(self.front_pid, "model_process.py")

    def front_pids(self) -> list[int]:
        """What stands before the model processes: the front, or gunicorn's master and workers."""
        return [self.front_pid, *_children(self.front_pid, "mop.serving.gunicorn_front")]

    def pause(self) -> None:
        """Nothing to do."""

    def resume(self) -> None:
        """Nothing to do."""


def _children(pid: int, command: str) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if command in Path(f"/proc/{child}/cmdline").read_text()]


class OriginalStack(ServerProcess):
    """What MOP replaces: one server with one worker of 8 threads."""

    path = "/score"
    bodies: Path | None = None

    def __init__(self, python: Path, folder: ModelFolder, *, batching: bool, place: Path) -> None:
        place.mkdir()
        shutil.copy(folder.src / "inference.py", place)
        (place / "score.py").write_text(SCORE.format(batching=BATCHING if batching else None))
        port = free_port()
        super().__init__(
            [python.with_name("azmlinfsrv"), "--entry_script", "score.py", "--port", str(port)],
            port=port,
            place=place,
            variables={
                "AZUREML_MODEL_DIR": str(folder.model),
                "WORKER_COUNT": "1",
                "GUNICORN_CMD_ARGS": f"--threads {THREADS}",
            },
            probe=("/", None),
        )


@asynccontextmanager
async def our_service(
    python: Path,
    folder: ModelFolder,
    *,
    workers: int = 1,
    threads: int = THREADS,
    policy: BatchPolicy | None = None,
    server: ServerMode = ServerMode.MOP,
    queue_limit: int = 1000,
    unix: bool = False,
    command: Sequence[str] = (),
) -> AsyncIterator[OurService]:
    """Our service, ready; in the sandbox where a `command` puts its model processes there."""
    policy = policy or BatchPolicy()
    argv = model_process_argv(python, src=folder.src, model=folder.model, threads=threads, batch=policy.enabled)
    with tempfile.TemporaryDirectory(prefix="mop-") as place:
        host = LocalServiceHost(Path(place))
        reservation = await host.reserve(ServiceRequest("benchmark", "benchmark", 1, 1 << 28))
        port = None if unix else free_port()
        config = ServiceConfig(
            command=tuple(command or argv),
            server=server,
            workers=workers,
            threads=threads,
            batch=policy,
            port=port,
            queue_limit=queue_limit,
        )
        running = await host.start(reservation, config)
        try:
            await running.wait_ready(60)
            yield OurService(running)
        finally:
            await running.stop()


class Clients:
    """The process of the clients: closed_loop.py, or open_loop.py."""

    def __init__(self, bodies: Path, *, script: str = "closed_loop.py") -> None:
        argv = [sys.executable, str(Path(__file__).with_name(script)), str(bodies)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.communicate()

    async def run(self, address: str, clients: int, seconds: float) -> dict[str, float]:
        """One run against `address`; see closed_loop.py for what it answers."""
        return await self.ask({"address": address, "clients": clients, "seconds": seconds, "warm": seconds / 5})

    async def run_on(self, stack: Stack, clients: int, seconds: float) -> dict[str, float]:
        """One run against a stack, in its own words."""
        order: dict[str, object] = {
            "address": stack.address,
            "clients": clients,
            "seconds": seconds,
            "warm": seconds / 5,
        }
        if stack.bodies is not None:
            order |= {"path": stack.path, "bodies": str(stack.bodies)}
        return await self.ask(order)

    async def ask(self, order: dict[str, object]) -> dict[str, float]:
        """One run as ordered; the script says what it takes and answers."""
        return await asyncio.to_thread(self._ask, json.dumps(order))

    def _ask(self, order: str) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer
