from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
import pytest

from cli.commands import SAMPLES, all_ended, children_of, free_port, started, watched

pytestmark = [pytest.mark.sandbox, pytest.mark.index]

# a model without packages of its own, so that its environment is built at once
FOLDER = str(SAMPLES / "variants" / "helper-modules")
ITEM = json.loads((SAMPLES / "broken" / "sample.json").read_text())


@pytest.mark.parametrize(("kind", "server"), [("uds", "gunicorn"), ("port", "mop")])
def test_it_prints_the_address_serves_and_ends_cleanly_when_interrupted(tmp_path: Path, kind: str, server: str):
    port = free_port()
    where = ("--uds", str(tmp_path / "s.sock")) if kind == "uds" else ("--port", str(port))
    with started("run", FOLDER, *where, "--server", server, "--workers", "2", "--no-batch", home=tmp_path) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, (tmp_path / "stderr").read_text()
        if kind == "uds":
            assert address == f"unix:{tmp_path / 's.sock'}"
            client = httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "s.sock")), base_url="http://mop")
        else:
            assert address == f"http://127.0.0.1:{port}"
            client = httpx.Client(base_url=address)
        with client:
            assert client.get("/ready").status_code == 200
            outputs = client.post("/score", json=[ITEM, ITEM]).json()
            assert len(outputs) == 2
        with watched(*children_of(process.pid)) as children:
            assert children
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
            assert all_ended(children)


def test_a_broken_folder_ends_with_its_error_and_1(tmp_path: Path):
    folder = str(SAMPLES / "broken" / "wrapper-missing")
    with started("run", folder, "--port", str(free_port()), home=tmp_path) as process:
        out, _ = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert "ModelWrapperNotFoundError: " in (tmp_path / "stderr").read_text()
