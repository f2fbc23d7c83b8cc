"""GPUs: a job that needs them sees NVIDIA's device nodes, every other job sees none of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mop.errors import HostLostError
from mop.sandbox import Job, Limits, Sandbox, SandboxLevel, host_gpus, python_mounts
from mop.sandbox.devices import gpu_devices
from sandbox.cage import MIB, PYTHON, Cage

NODES = ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1")
LOOK = """
import glob, json, os, stat
print(json.dumps({path: [stat.S_ISCHR(os.stat(path).st_mode), os.write(os.open(path, os.O_RDWR), b"x")]
    for path in sorted(glob.glob("/dev/nvidia*") + glob.glob("/dev/nvidia-caps/*")) if not os.path.isdir(path)}))
"""


@pytest.fixture
def nodes(tmp_path: Path) -> Path:
    """A folder like /dev of a host with two GPUs; the devices are /dev/null by other names."""
    folder = tmp_path / "dev"
    for name in NODES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to("/dev/null")
    (folder / "nvidia2").write_text("no device")
    (folder / "sda").symlink_to("/dev/null")
    return folder


def test_only_nvidias_own_device_nodes_count(nodes: Path, tmp_path: Path):
    assert (host_gpus(nodes), host_gpus(tmp_path)) == (2, 0)
    assert sorted(target for _, target in gpu_devices(1, nodes)) == sorted(f"/dev/{name}" for name in NODES)
    assert gpu_devices(0, nodes) == []


@pytest.mark.parametrize(("count", "there"), [(1, "none"), (3, "2")])
def test_a_host_with_too_few_gpus_says_so(nodes: Path, tmp_path: Path, count: int, there: str):
    with pytest.raises(HostLostError, match=rf"has {count} GPUs?; this host has {there}\.") as raised:
        gpu_devices(count, nodes if there == "2" else tmp_path)
    assert "without a GPU" in raised.value.hint


@pytest.mark.sandbox
def test_in_the_cage_a_gpu_job_uses_the_devices_and_another_job_sees_none(cage: Cage, nodes: Path):
    cage.sandbox = replace(cage.sandbox, devices=nodes)
    assert json.loads(cage.output(LOOK)) == {}
    assert json.loads(cage.output(LOOK, gpus=2)) == {f"/dev/{name}": [True, 1] for name in sorted(NODES)}


@pytest.mark.sandbox
def test_at_level_3_the_devices_are_writable_for_a_gpu_job_alone(sandboxes, nodes: Path):
    sandbox: Sandbox = replace(sandboxes(SandboxLevel.LANDLOCK), devices=nodes)
    job = Job(argv=(str(PYTHON),), mounts=python_mounts(PYTHON), limits=Limits(cpus=1, memory_bytes=64 * MIB))
    usual, gpu = (sandbox._plan(one)["landlock"]["writable"] for one in (job, replace(job, gpus=1)))
    assert (usual, sorted(gpu)) == ([], sorted(str(nodes / name) for name in NODES))


@pytest.mark.sandbox
def test_a_gpu_job_does_not_start_on_a_host_without_gpus(cage: Cage, tmp_path: Path):
    cage.sandbox = replace(cage.sandbox, devices=tmp_path)
    with pytest.raises(HostLostError, match="this host has none"):
        cage.command(LOOK, gpus=1)
