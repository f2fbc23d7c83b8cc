"""The socket of a service stands in a private folder of its own, and no link there leads anywhere."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from mop.errors import HostLostError
from mop.serving.local_host import LocalServiceHost
from mop.serving.service import ServiceRequest
from serving.conftest import MakeModel, StartService, service_config


async def test_each_service_has_a_folder_that_its_owner_alone_enters(
    make_model: MakeModel, start: StartService, runtime_folder: Path
):
    folder = make_model()
    sockets = [Path((await start(folder)).address.removeprefix("unix:")) for _ in range(2)]
    assert len({path.parent for path in sockets}) == 2
    assert {path.parent.stat().st_mode & 0o777 for path in sockets} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in sockets} == {0o600}
    assert {path.parent.parent for path in sockets} == {runtime_folder}


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
async def test_a_link_in_the_sockets_place_is_not_followed(
    make_model: MakeModel, host: LocalServiceHost, tmp_path: Path, kind: str
):
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("kept")
    elif kind == "folder":
        target.mkdir()
    reservation = await host.reserve(ServiceRequest("model", "test", 1, 1 << 20))
    (reservation.folder / "s.sock").symlink_to(target)
    with pytest.raises(HostLostError):
        await host.start(reservation, service_config(make_model()))
    await host.release(reservation)
    if kind == "file":
        assert target.read_text() == "kept"
    assert (target.exists(), target.is_socket()) == (kind != "nothing", False)


async def test_a_link_to_another_socket_is_replaced(make_model: MakeModel, host: LocalServiceHost, tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "other"))
        (tmp_path / "other").chmod(0o666)
        reservation = await host.reserve(ServiceRequest("model", "test", 1, 1 << 20))
        link = reservation.folder / "s.sock"
        link.symlink_to(tmp_path / "other")
        service = await host.start(reservation, replace(service_config(make_model()), uds=None))
        try:
            await service.wait_ready(60)
            assert (link.is_symlink(), link.is_socket()) == (False, True)
            assert (tmp_path / "other").stat().st_mode & 0o777 == 0o666
        finally:
            await service.stop()
