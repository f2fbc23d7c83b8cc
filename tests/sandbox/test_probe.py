"""What the probe finds and says, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import mop
from mop.errors import SandboxUnavailableError
from mop.sandbox import SandboxLevel, describe_sandbox, probe_sandbox
from sandbox.cage import MIB

pytestmark = pytest.mark.sandbox

_ORDINARY_UID = 65534


def test_the_strongest_level_that_works_is_chosen(tmp_path: Path):
    described = {result.level: result for result in describe_sandbox()}
    assert set(described) == {SandboxLevel.CGROUP, SandboxLevel.RLIMIT, SandboxLevel.LANDLOCK}
    best = min(level for level, result in described.items() if result.available)
    sandbox = probe_sandbox(runtime_folder=tmp_path)
    assert sandbox.level == best
    assert described[best].parts[0] == "bubblewrap"


def test_each_unavailable_level_has_a_reason_and_a_hint():
    for result in describe_sandbox():
        assert result.available == bool(result.parts) == (not result.reason) == (not result.hint)


def test_without_bubblewrap_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.sandbox.probe._PLACES", str(tmp_path))
    with pytest.raises(SandboxUnavailableError, match="bubblewrap is not installed") as raised:
        probe_sandbox(runtime_folder=tmp_path)
    assert "apt install bubblewrap" in raised.value.hint


def test_a_bubblewrap_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    old.chmod(0o755)
    monkeypatch.setattr("mop.sandbox.probe._PLACES", str(tmp_path))
    with pytest.raises(SandboxUnavailableError, match=r"0\.6\.1 is too old"):
        probe_sandbox(runtime_folder=tmp_path)


def test_a_cage_that_does_not_hold_is_not_called_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    loose = tmp_path / "bwrap"  # passes the version check and then confines nothing
    loose.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo bubblewrap 0.9.0; exit; }\n'
        'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    loose.chmod(0o755)
    tmp_path.chmod(0o755)
    monkeypatch.setattr("mop.sandbox.probe._PLACES", str(tmp_path))
    with pytest.raises(SandboxUnavailableError) as raised:
        probe_sandbox(runtime_folder=tmp_path / "runtime", forced=SandboxLevel.RLIMIT)
    assert "level 2 (rlimit)" in raised.value.message


@pytest.mark.skipif(os.getuid() != 0, reason="only root has another user to run jobs as")
@pytest.mark.parametrize("uid", [0, _ORDINARY_UID])
def test_jobs_of_root_run_as_nobody_elses_user(tmp_path: Path, uid: int):
    name = pwd.getpwuid(uid).pw_name
    with pytest.raises(SandboxUnavailableError, match=f"uid {uid}, which is that of {name}") as raised:
        probe_sandbox(runtime_folder=tmp_path, minimum=SandboxLevel.LANDLOCK, service_uid=uid)
    assert "MOP_SANDBOX_UID" in raised.value.hint


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """MOP's errors and sandbox where any user can read them, and a folder that any user can write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = Path(mop.__file__).parent
        shutil.copytree(source / "sandbox", folder / "mop" / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("__init__.py", "errors.py"):
            shutil.copy(source / file, folder / "mop" / file)
        (folder / "runtime").mkdir()
        (folder / "runtime").chmod(0o777)
        yield folder


_AS_USER = f"""
import json, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mop.sandbox import Job, Limits, SandboxLevel, probe_sandbox, python_mounts
sandbox = probe_sandbox(runtime_folder=Path(sys.argv[1], "runtime"), forced=SandboxLevel.RLIMIT)
def run(code):
    python = Path(sys.executable).resolve()
    limits = Limits(cpus=1, memory_bytes={64 * MIB}, seconds=60, processes=20)
    job = Job(argv=(str(python), "-I", "-c", code), mounts=python_mounts(python), limits=limits)
    done = subprocess.run(sandbox.command(job), capture_output=True, text=True)
    return [done.returncode, done.stdout.strip()]
print(json.dumps([
    run("import os; print(os.getuid(), os.path.exists('/etc/shadow'))"),
    run("held = []\\nwhile True: held.append(bytearray(8 << 20))"),
    run("open('/tmp/a', 'wb').write(bytes(90 << 20)); import time; time.sleep(60)"),
]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="every other test runs as an ordinary user then")
def test_an_ordinary_user_gets_level_2(readable_copy: Path):
    user = {"user": _ORDINARY_UID, "group": _ORDINARY_UID, "extra_groups": (), "cwd": "/", "env": {}}
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-I", "-B", "-c", _AS_USER, str(readable_copy)],
                capture_output=True,
                text=True,
                check=False,
                **user,
            )
        except PermissionError:  # an interpreter in root's home
            continue
        assert done.stderr == ""
        assert json.loads(done.stdout) == [[0, "1000 False"], [122, ""], [122, ""]]
        return
    pytest.skip("no interpreter that an ordinary user may run")
