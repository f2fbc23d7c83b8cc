"""Node.js programs that tests run: packages from the npm registry, installed once per user."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

_START_SECONDS = 30
_INSTALL_SECONDS = 240


def installed(package: str, version: str) -> Path:
    """The folder in which a package is installed, with its `node_modules`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mop-tests"
    folder = cache / f"{package}-{version}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(folder, package, version)
    return folder


@contextmanager
def running(arguments: tuple[str, ...], *, port: int, name: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Run Node.js with these arguments from when it answers at a port of this machine to the end."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", _node(), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for_port(port, process, name)
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _install(folder: Path, package: str, version: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail(f"{package} needs Node.js with npm: install Node 20 or later")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    (partial / "package.json").write_text("{}")
    arguments = ("--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error")
    subprocess.run(
        [npm, "install", *arguments, f"{package}@{version}"], cwd=partial, check=True, timeout=_INSTALL_SECONDS
    )
    partial.rename(folder)


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node.js is missing: install Node 20 or later")
    return node


def _wait_for_port(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"{name} ended with status {process.returncode} before it answered")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"{name} did not answer within {_START_SECONDS} s")
