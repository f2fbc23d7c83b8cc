"""Builds in the real cage: strangers' build scripts and start-up hooks see nothing and change nothing else."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from environments.conftest import MakeModel, Model
from environments.packages import PackageIndex, pip_wheel, sdist, wheel, write
from mop.environments import BuildCommand, Environment, ensure_environment
from mop.errors import EnvironmentBuildError
from mop.sandbox import Job, Limits, Mount, Sandbox, SandboxLevel, probe_sandbox, python_mounts
from storage.certificates import make_server_certificate

pytestmark = pytest.mark.sandbox

GIB = 1024**3


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return probe_sandbox(runtime_folder=tmp_path_factory.mktemp("runtime"), forced=SandboxLevel.RLIMIT)


async def build(model: Model, sandbox: Sandbox, *, memory_bytes: int = 2 * GIB) -> Environment:
    def cage(command: BuildCommand) -> list[str]:
        mounts = (
            *python_mounts(command.interpreter),
            *(Mount(path, str(path)) for path in command.readable),
            *(Mount(path, str(path), writable=True) for path in command.writable),
        )
        limits = Limits(cpus=1, memory_bytes=memory_bytes, seconds=60)
        job = Job(
            command.argv, mounts, limits, command.env, str(command.cwd), command.network, f"t{uuid.uuid4().hex[:8]}"
        )
        return sandbox.command(job)

    return await ensure_environment(
        model.src,
        model.wheels,
        config=replace(model.config, proxy_folder=sandbox.runtime_folder / "indexes"),
        cage=cage,
        prepare_writable=sandbox.make_writable,
        log=model.log.append,
    )


async def test_an_environment_of_wheels_is_built_and_shares_files_with_the_cache(
    make_model: MakeModel, sandbox: Sandbox
) -> None:
    model = make_model("tiny==1.0\nmop-utils>=2.0")
    write(model.wheels, wheel("secret-sauce", "0.1"))
    environment = await build(model, sandbox)
    assert environment.packages == ("mop-utils==3.0.0", "pip==24.0", "secret-sauce==0.1", "tiny==1.0")
    (module,) = environment.path.glob("lib/python3.*/site-packages/tiny/__init__.py")
    assert module.stat().st_nlink > 1
    (compiled,) = module.parent.glob("__pycache__/*.pyc")
    assert compiled.stat().st_size
    assert any(line.startswith("pip 24.0 from ") for line in model.log)
    assert (await build(model, sandbox)).reused


async def test_a_build_without_a_cage_before_does_not_hinder_one_in_the_cage(
    make_model: MakeModel, sandbox: Sandbox
) -> None:
    await make_model("tiny==1.0").build()
    assert "tiny==2.0" in (await build(make_model("tiny==2.0"), sandbox)).packages


async def test_a_build_script_sees_no_files_of_the_host_and_writes_only_its_own(
    make_model: MakeModel, index: PackageIndex, sandbox: Sandbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    root = str(tmp_path / "root")
    prelude = f"""
assert not os.path.exists({str(secret)!r}), "sees the host"
assert not os.path.exists({root + "/envs"!r}), "sees environments of others"
assert not [name for name in os.listdir({root!r}) if name.startswith("cache-")], "sees the shared cache"
assert os.getuid() != 0
links = ["/proc/self/fd/" + number for number in os.listdir("/proc/self/fd")]
held = [os.readlink(link) for link in links if os.path.islink(link)]
assert not [one for one in held if one.startswith({root!r}) and "/builds/" not in one], held
assert "MOP_BUILD" not in os.environ
"""
    index.add(sdist("curious", "1.0", prelude=prelude))
    await build(make_model("tiny"), sandbox)
    assert "curious==1.0" in (await build(make_model("curious"), sandbox)).packages


async def test_a_build_script_over_its_memory_is_named(
    make_model: MakeModel, index: PackageIndex, sandbox: Sandbox
) -> None:
    index.add(sdist("hungry", "1.0", prelude="hold = b'x' * 1_500_000_000\nimport time; time.sleep(20)"))
    with pytest.raises(EnvironmentBuildError, match="more memory"):
        await build(make_model("hungry"), sandbox, memory_bytes=GIB // 2)


async def test_a_start_up_hook_can_not_change_the_environment_it_is_in(
    make_model: MakeModel, sandbox: Sandbox, tmp_path: Path
) -> None:
    hook = "import os, sys; open(os.path.join(sys.prefix, 'changed'), 'w').close()\n"
    model = make_model("tiny")
    write(model.wheels, wheel("hooky", "1.0", files={"hooky.pth": hook, "hooky.py": ""}))
    environment = await build(model, sandbox)
    assert not (environment.path / "changed").exists()
    assert any("Read-only file system" in line for line in model.log)


@pytest.mark.parametrize("secured", [True, False], ids=["https", "http"])
async def test_credentials_of_the_index_serve_a_build_that_can_not_see_them(
    make_model: MakeModel, sandbox: Sandbox, tmp_path: Path, *, secured: bool
) -> None:
    certificate = make_server_certificate(tmp_path) if secured else None
    index = PackageIndex(certificate=certificate, login="reader:hunter2")
    prelude = """
import glob
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    with open(path, "rb") as file:
        assert b"hunter" + b"2" not in file.read(), path
"""
    index.add(pip_wheel(), wheel("tiny", "1.0"), sdist("curious", "1.0", prelude=prelude))
    model = make_model("curious\ntiny")
    model.config = replace(
        model.config,
        index_url=index.url.replace("://", "://reader:hunter2@"),
        certificates=certificate.ca_file if certificate else None,
    )
    try:
        environment = await build(model, sandbox)
    finally:
        index.close()
    assert {"curious==1.0", "tiny==1.0"} <= set(environment.packages)
    assert "hunter2" not in "\n".join(model.log)


async def test_a_build_that_shares_the_hosts_network_says_so(make_model: MakeModel, index: PackageIndex) -> None:
    index.add(sdist("curious", "1.0"))
    model = make_model("curious")
    await model.build()
    assert "this sandbox shares the host's network: build scripts reach what the host reaches" in model.log
