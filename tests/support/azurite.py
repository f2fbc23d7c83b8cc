"""Azurite, the storage emulator, for any suite that needs Azure Blob storage.

    with running_azurite() as azurite:
        azurite.url("container/folder"); azurite.account_key; await azurite.upload("container", {"m/a": b"..."})

`pytest_plugins` or an import of the fixture `azurite` gives one server per test process.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, PublicAccess

AZURITE_VERSION = "3.37.0"
ACCOUNT = "devstoreaccount1"
_START_SECONDS = 30
_INSTALL_SECONDS = 240


@dataclass(frozen=True)
class ServerCertificate:
    """Files of a server's certificate and key, and of the certificate authority that signed it (all PEM)."""

    certificate: Path
    key: Path
    ca_file: Path


@dataclass(frozen=True)
class Azurite:
    """A running server with one account of its own random key; over https where it has a `ca_file`."""

    port: int
    account_key: str
    account: str = ACCOUNT
    ca_file: str = ""

    @property
    def endpoint(self) -> str:
        """The account's blob endpoint."""
        return f"{'https' if self.ca_file else 'http'}://127.0.0.1:{self.port}/{self.account}"

    def url(self, path: str) -> str:
        """The url of `container/folder`."""
        return f"{self.endpoint}/{path}"

    def client(self) -> BlobServiceClient:
        """A synchronous client with the account key; use it as a context manager."""
        return BlobServiceClient(
            self.endpoint,
            credential=AzureNamedKeyCredential(self.account, self.account_key),
            connection_verify=self.ca_file or True,
        )

    def make_container(self, name: str, *, public: bool = False) -> None:
        """Make a container; an existing one is fine."""
        with self.client() as client:
            try:
                client.create_container(name, public_access=PublicAccess.CONTAINER if public else None)
            except ResourceExistsError:
                return

    def upload(self, container: str, files: Mapping[str, bytes]) -> None:
        """Write blobs by name; the container is made when missing."""
        self.make_container(container)
        with self.client() as client:
            for name, content in files.items():
                client.get_blob_client(container, name).upload_blob(content, overwrite=True)

    def upload_folder(self, container: str, folder: Path, *, prefix: str) -> str:
        """Write a local folder's files below `prefix`; gives the folder's url."""
        files = {
            f"{prefix}/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self.upload(container, files)
        return self.url(f"{container}/{prefix}")


@contextmanager
def running_azurite(tls: ServerCertificate | None = None) -> Iterator[Azurite]:
    """Start Azurite on a free port, blobs in memory; stop it at the end. With a certificate it takes tokens, too."""
    script = install_azurite()
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    port = _free_port()
    arguments = (
        "--inMemoryPersistence",
        "-s",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--blobHost",
        "127.0.0.1",
        *(("--oauth", "basic", "--cert", str(tls.certificate), "--key", str(tls.key)) if tls else ()),
    )
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", _node(), str(script), *arguments, "--blobPort", str(port)],
        env={"PATH": os.environ["PATH"], "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for_port(port, process)
        yield Azurite(port=port, account_key=key, ca_file=str(tls.ca_file) if tls else "")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for the test process; tests keep apart by container names."""
    with running_azurite() as server:
        yield server


def install_azurite() -> Path:
    """Install Azurite from the npm registry once per user; gives its start script."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mop-tests"
    folder = cache / f"azurite-{AZURITE_VERSION}"
    script = folder / "node_modules/azurite/dist/src/blob/main.js"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "azurite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            _npm_install(folder)
    return script


def _npm_install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("Azurite needs Node.js with npm: install Node 20 or later")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    (partial / "package.json").write_text("{}")
    arguments = ("--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error")
    subprocess.run(
        [npm, "install", *arguments, f"azurite@{AZURITE_VERSION}"], cwd=partial, check=True, timeout=_INSTALL_SECONDS
    )
    partial.rename(folder)


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.fail("Azurite needs Node.js: install Node 20 or later")
    return node


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"Azurite ended with status {process.returncode} before it answered")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"Azurite did not answer within {_START_SECONDS} s")
