from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from mop.errors import HostLostError
from mop.serving import local_service
from mop.serving.leases import Lease, LeaseFolder, ProcessId
from mop.serving.local_host import LocalServiceHost
from mop.serving.service import ServiceRequest
from mop.serving_options import ServerMode
from serving.conftest import MakeGate, MakeModel, StartService, service_config
from serving.gate import PASS_GATE
from serving.probes import descendants, gone, metric, model_pids, reached

GIB = 1 << 30
TESTS = str(Path(__file__).parents[1])
LOOPING = "def inference(self, item):\n    while item == 'loop': pass\n    return item"


def lease_files(runtime_folder: Path) -> list[Path]:
    return list(runtime_folder.glob("*/lease.json"))


def service_folders(runtime_folder: Path) -> list[Path]:
    return [path for path in runtime_folder.iterdir() if path.is_dir()]


@pytest.mark.parametrize("server", ServerMode)
async def test_a_killed_owner_leaves_nothing(make_model: MakeModel, runtime_folder: Path, server: ServerMode):
    config = service_config(make_model(LOOPING), server=server, workers=2)
    owner = textwrap.dedent("""
        import asyncio, os, sys
        from pathlib import Path
        import orjson
        from mop.serving.config import ServiceConfig
        from mop.serving.local_host import LocalServiceHost
        from mop.serving.service import ServiceRequest
        from serving.probes import descendants

        async def main():
            host = LocalServiceHost(Path(sys.argv[1]))
            reservation = await host.reserve(ServiceRequest("m", "o", 1, 1))
            service = await host.start(reservation, ServiceConfig.from_dict(orjson.loads(sys.argv[2])))
            await service.wait_ready(30)
            asyncio.create_task(service.score("loop", mop=False))
            front = service._front.pid
            print(front, *descendants(front), flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """)
    arguments = (str(runtime_folder), orjson.dumps(config.to_dict()).decode())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", owner, *arguments, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": TESTS}
    )
    assert process.stdout is not None
    pids = [int(word) for word in (await process.stdout.readline()).split()]
    assert len(pids) == (3 if server is ServerMode.MOP else 5)
    process.kill()
    await process.wait()
    await asyncio.gather(*(gone(pid) for pid in pids))
    LocalServiceHost(runtime_folder).sweep()
    assert lease_files(runtime_folder) == []


@pytest.mark.parametrize("server", ServerMode)
async def test_a_process_that_ends_leaves_no_lease_and_no_socket_of_its_own(
    make_model: MakeModel, start: StartService, host: LocalServiceHost, runtime_folder: Path, server: ServerMode
):
    others = LeaseFolder(runtime_folder).add(Lease("m", "another", 1, 1, holder=ProcessId.of(os.getppid())))
    service = await start(make_model(), server=server)
    pids = [service._front.pid, *descendants(service._front.pid)]
    reserved = await host.reserve(ServiceRequest("not started", "test", 1, 1))
    host.end_own()
    assert service_folders(runtime_folder) == [others]
    await asyncio.gather(*(gone(pid) for pid in pids))
    await host.release(reserved)  # as the block does that holds it, if it still comes to that


async def test_a_killed_front_takes_its_model_processes_along(make_model: MakeModel, start: StartService):
    service = await start(make_model(LOOPING), workers=2)
    looping = asyncio.create_task(service.score("loop", mop=False))

    async def handed_over() -> bool:
        return await metric(service, "in_flight_items") == 1

    await reached(handed_over)
    pids = model_pids(service)
    os.kill(service._front.pid, signal.SIGKILL)
    await asyncio.gather(*(gone(pid) for pid in pids))
    with pytest.raises(HostLostError):
        await looping


async def test_a_lease_that_is_not_renewed_ends_the_service(make_model: MakeModel, start: StartService):
    service = await start(make_model(), lease_ttl_s=1)
    (pid,) = model_pids(service)
    await service.renew()
    async with asyncio.timeout(20):
        await service._front.wait()
    await gone(pid)
    assert "[front] the service stops: its owner did not renew the lease" in service.log_lines(0)


async def test_stop_lets_requests_in_flight_finish(
    make_model: MakeModel, make_gate: MakeGate, start: StartService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local_service, "STOP_GRACE_S", 60.0)  # a busy machine takes seconds until nobody connects
    folder = make_model(PASS_GATE + "\ndef inference(self, item):\n    self.pass_gate(item)\n    return item\n")
    gate = make_gate(folder)
    service = await start(folder)
    (pid,) = model_pids(service)
    call = asyncio.create_task(service.score("last", mop=False))
    await gate.entered()
    stopping = asyncio.create_task(service.stop())

    async def refuses() -> bool:
        try:
            await metric(service, "queue_items")
        except HostLostError:
            return True
        return False

    await reached(refuses)
    gate.release()
    assert await call == "last"
    await stopping
    await gone(pid)
    await service.stop()


async def test_stop_does_not_wait_for_a_hanging_model(
    make_model: MakeModel, start: StartService, host: LocalServiceHost, runtime_folder: Path
):
    service = await start(make_model(LOOPING))
    looping = asyncio.create_task(service.score("loop", mop=False))

    async def handed_over() -> bool:
        return await metric(service, "in_flight_items") == 1

    await reached(handed_over)
    (pid,) = model_pids(service)
    async with asyncio.timeout(15):
        await service.stop()
    await gone(pid)
    await asyncio.gather(looping, return_exceptions=True)
    assert lease_files(runtime_folder) == []


async def test_a_sweep_kills_what_a_dead_owner_left(
    make_model: MakeModel, start: StartService, host: LocalServiceHost, runtime_folder: Path
):
    service = await start(make_model())
    host.sweep()
    assert await service.score(1, mop=False) == {"echo": 1}
    (file,) = lease_files(runtime_folder)
    lease = json.loads(file.read_text())
    file.write_text(json.dumps({**lease, "holder": {"pid": os.getpid(), "started": 1}}))
    pids = [service._front.pid, *model_pids(service)]
    host.sweep()
    await asyncio.gather(*(gone(pid) for pid in pids))
    assert not file.parent.exists()


async def test_memory_is_never_given_twice_and_cpus_only_as_configured(runtime_folder: Path):
    host = LocalServiceHost(runtime_folder, cpus=2, memory_bytes=4 * GIB, cpu_overcommit=2)
    first = await host.reserve(ServiceRequest("a", "o", 3, 2 * GIB))
    with pytest.raises(HostLostError, match="2048 MiB are free"):
        await host.reserve(ServiceRequest("b", "o", 1, 3 * GIB))
    with pytest.raises(HostLostError, match="1 CPUs"):
        await host.reserve(ServiceRequest("b", "o", 2, GIB))
    other = LocalServiceHost(runtime_folder, cpus=2, memory_bytes=4 * GIB, cpu_overcommit=2)
    with pytest.raises(HostLostError):
        await other.reserve(ServiceRequest("b", "o", 1, 3 * GIB))
    await host.release(first)
    await other.reserve(ServiceRequest("b", "o", 4, 4 * GIB))


async def test_reservations_are_private(runtime_folder: Path, host: LocalServiceHost):
    reservation = await host.reserve(ServiceRequest("a", "o", 1, 1))
    assert reservation.folder.stat().st_mode & 0o077 == 0


def test_a_runtime_folder_too_long_for_sockets_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="too long"):
        LocalServiceHost(tmp_path / ("x" * 100))


async def test_an_expired_lease_does_not_hold_room(runtime_folder: Path):
    leases = LeaseFolder(runtime_folder)
    host = LocalServiceHost(runtime_folder, memory_bytes=GIB)
    reservation = await host.reserve(ServiceRequest("a", "o", 1, GIB))
    (lease,) = leases.living()
    leases.write(reservation.folder, replace(lease, ttl_s=10))
    os.utime(reservation.folder / "lease.json", (1, 1))
    await host.reserve(ServiceRequest("b", "o", 1, GIB))


def test_a_process_number_that_was_given_again_is_another_process():
    me = ProcessId.of(os.getpid())
    assert me.alive
    assert not replace(me, started=me.started - 1).alive


async def test_a_front_that_can_not_start_tells_why(make_model: MakeModel, start: StartService, tmp_path: Path):
    with pytest.raises(HostLostError, match="did not start"):
        await start(make_model(), uds=tmp_path / "no such folder" / "s.sock")
