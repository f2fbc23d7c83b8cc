"""What a model does with hidden data is found nowhere afterwards: real models in the real cage, which leave traces.

The models know the secret only from what they are asked, or backwards: what holds it afterwards is a trace.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from hosting.conftest import SMALL, MakeJob
from mop.environments import Environment
from mop.errors import MopError, SandboxUnavailableError
from mop.hosting.jobs import RevisionJob
from mop.hosting.service import HostedService, fresh_service
from mop.hosting.tools import HostTools
from mop.sandbox import SandboxLevel
from mop.serving.disclosure import WITHHELD
from mop.serving.local_service import LocalService
from mop.serving_options import ServerMode
from serving.probes import descendants, gone, metric, reached
from support.model_folders import write_model
from support.small_host import at_level

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.xdist_group("hosting")]

SECRET = "hidden-row-4711"
EXIT_STATUS = 77
LEAKS = """
import ctypes, os, socket, struct, sys

SECRET = "1174-wor-neddih"[::-1]

def everywhere(secret):
    print(secret, flush=True)
    print(secret, file=sys.stderr, flush=True)
    os.write(2, secret.encode() * 3000)
    for place in "/tmp /dev/shm /var/tmp /run /mop /mop/src /mop/model / .".split():
        try:
            with open(os.path.join(place, secret), "w") as file:
                file.write(secret)
        except OSError:
            pass
    ctypes.CDLL(None).prctl(15, secret[:15].encode(), 0, 0, 0)  # the name of the process

def do(item):
    order, _, secret = item["text"].partition(" ")
    if order == "print":
        everywhere(secret)
    if order == "raise":
        raise KeyError(secret)
    if order == "nonsense":
        return {secret: float("nan")}
    if order == "exit":
        everywhere(secret)
        os._exit(int(secret.partition(" ")[0]))
    if order == "sys.exit":
        sys.exit(secret)
    if order == "misuse":
        for descriptor in range(3, 64):
            try:
                channel = socket.socket(fileno=os.dup(descriptor))
                channel.sendall(struct.pack(">IB", 1 + len(secret), 99) + secret.encode())
            except OSError:
                pass
    if order == "wait":
        import threading
        everywhere(secret)
        threading.Event().wait()
    if order == "proxy":
        return os.environ.get("HTTPS_PROXY", "none")
    return None
"""


@dataclass
class Traces:
    """Everything that a fresh service told its owner."""

    log: list[str] = field(default_factory=list)
    errors: list[MopError] = field(default_factory=list)

    def text(self) -> str:
        return "\n".join([*self.log, *(json.dumps(error.to_dict()) + repr(error) for error in self.errors)])


@pytest.fixture(params=[SandboxLevel.CGROUP, SandboxLevel.RLIMIT], ids=lambda level: level.name.lower())
def tools(request: pytest.FixtureRequest, built: tuple[HostTools, Environment], root: Path) -> HostTools:
    try:
        return at_level(built[0], request.param, root)
    except SandboxUnavailableError as error:
        if request.param != SandboxLevel.CGROUP:
            raise
        pytest.skip(error.message)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that leaves traces as it is told."""
    folder = write_model(
        tmp_path / "leaks",
        init="import leaks; leaks.everywhere(leaks.SECRET)",
        inference="import leaks; told = leaks.do(item)\n        if told is not None: return told",
    )
    (folder / "src" / "leaks.py").write_text(LEAKS, encoding="utf-8")
    return folder


@pytest.fixture
def traces(root: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Traces]:
    """Filled by a test; afterwards the secret may stand nowhere, and nothing of the service may be left."""
    caplog.set_level(logging.DEBUG)
    found = Traces()
    yield found
    printed = capfd.readouterr()
    for text in (found.text(), caplog.text, printed.out, printed.err):
        assert SECRET not in text
    assert re.search(rf"\b{EXIT_STATUS}\b", found.text() + caplog.text) is None
    assert files_with_the_secret(root, Path("/dev/shm"), Path("/var/tmp")) == []
    assert not Path("/tmp", SECRET).exists()
    assert [path.name for path in (root / "services").iterdir()] == ["lock"]


def files_with_the_secret(*roots: Path) -> list[Path]:
    files = [path for root in roots for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    named = [path for path in files if SECRET in path.name]
    return named + [path for path in files if path.stat().st_size < 1 << 20 and SECRET.encode() in path.read_bytes()]


async def ask(hosted: HostedService, traces: Traces, order: str) -> str:
    """The name of the error that an order ends in."""
    with pytest.raises(MopError) as raised:
        await hosted.service.score({"text": order}, mop=False)
    traces.errors.append(raised.value)
    assert (raised.value.message, raised.value.place, raised.value.also) == (WITHHELD, None, ())
    return raised.value.name


@pytest.mark.parametrize("server", ServerMode)
def test_of_what_a_model_does_names_alone_come_out(
    make_job: MakeJob, tools: HostTools, folder: Path, traces: Traces, server: ServerMode
):
    job = make_job(folder, tools=tools, configuration=replace(SMALL, server=server))

    async def block() -> None:
        async with fresh_service(job, log=traces.log.append) as hosted:
            service = hosted.service
            assert await service.score({"text": f"print {SECRET}"}, mop=False) == {"bad": False}
            names = [
                await ask(hosted, traces, f"{order} {SECRET}") for order in ("raise", "nonsense", "sys.exit", "misuse")
            ]
            names.append(await ask(hosted, traces, f"exit {EXIT_STATUS} {SECRET}"))
            assert names == [
                "UserScriptException",
                "InvalidModelOutputError",
                "UserScriptException",
                "DeploymentCrashedError",
                "DeploymentCrashedError",
            ]
            assert await service.score({"text": "darn"}, mop=False) == {"bad": True}  # it was replaced
            assert (service.log_lines(0), service.log_count) == ([], 0)
            assert (await service.model_input({"text": "a"})).not_json == ""

    async_to_sync(block)()
    assert [line for line in traces.log if line.startswith("[")] == []


# by 122, 124 and 125 the cage itself tells why it ended a job: a model that could choose the name could tell by it
@pytest.mark.parametrize("status", [EXIT_STATUS, 122, 124, 125])
def test_a_model_can_not_tell_by_its_exit_status(make_job: MakeJob, tmp_path: Path, traces: Traces, status: int):
    folder = write_model(tmp_path / "exits", init=f"os.write(1, b'{SECRET[::-1]}'[::-1]); os._exit({status})")
    with pytest.raises(MopError) as raised:
        async_to_sync(enter)(make_job(folder), traces)
    traces.errors.append(raised.value)
    assert (raised.value.name, raised.value.message) == ("DeploymentCrashedError", WITHHELD)


def test_why_a_model_does_not_start_is_its_name_alone(make_job: MakeJob, tmp_path: Path, traces: Traces):
    folder = write_model(tmp_path / "raises", init=f"raise RuntimeError('{SECRET[::-1]}'[::-1])")
    with pytest.raises(MopError) as raised:
        async_to_sync(enter)(make_job(folder), traces)
    traces.errors.append(raised.value)
    assert (raised.value.name, raised.value.message) == ("UserScriptException", WITHHELD)


def test_it_is_killed_in_the_middle_of_what_it_does(make_job: MakeJob, folder: Path, traces: Traces):
    job = make_job(folder)

    async def block() -> None:
        async with fresh_service(job, log=traces.log.append) as hosted:
            service = hosted.service
            assert isinstance(service, LocalService)
            pids = descendants(service._front.pid)
            assert pids
            asking = asyncio.create_task(service.score({"text": f"wait {SECRET}"}, mop=False))

            async def works() -> bool:
                return await metric(service, "in_flight_items") == 1

            await reached(works)
        for pid in pids:
            await gone(pid)
        (lost,) = await asyncio.gather(asking, return_exceptions=True)
        traces.log.append(repr(lost))
        assert isinstance(lost, Exception)
        assert await service.ended() == "its front ended"

    async_to_sync(block)()


def test_it_reaches_no_host_though_its_version_may(
    make_job: MakeJob, built: tuple[HostTools, Environment], folder: Path, traces: Traces
):
    job = make_job(folder, allowed_hosts=("api.example",))

    async def block() -> None:
        async with fresh_service(job, log=traces.log.append) as hosted:
            assert await hosted.service.score({"text": "proxy"}, mop=False) == "none"
            assert not built[0].network_folder.exists() or not [*built[0].network_folder.iterdir()]

    async_to_sync(block)()


def test_a_cage_in_which_files_can_outlive_the_model_is_refused(
    make_job: MakeJob, built: tuple[HostTools, Environment], root: Path, folder: Path, traces: Traces
):
    weak = at_level(built[0], SandboxLevel.LANDLOCK, root)
    with pytest.raises(SandboxUnavailableError, match="may not be given hidden data: at sandbox level 3"):
        async_to_sync(enter)(make_job(folder, tools=weak), traces)


async def enter(job: RevisionJob, traces: Traces) -> None:
    async with fresh_service(job, log=traces.log.append):
        raise AssertionError("it was ready")
