"""Azurite, the storage emulator, for any suite that needs Azure Blob storage.

    with running_azurite() as azurite:
        azurite.url("container/folder"); azurite.account_key; await azurite.upload("container", {"m/a": b"..."})

`pytest_plugins` or an import of the fixture `azurite` gives one server per test process.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, PublicAccess

from support import npm

AZURITE_VERSION = "3.37.0"
ACCOUNT = "devstoreaccount1"


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
    port = npm.free_port()
    arguments = (
        "--inMemoryPersistence",
        "-s",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--blobHost",
        "127.0.0.1",
        *(("--oauth", "basic", "--cert", str(tls.certificate), "--key", str(tls.key)) if tls else ()),
    )
    with npm.running(
        (str(script), *arguments, "--blobPort", str(port)),
        port=port,
        name="Azurite",
        environment={"AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"},
    ):
        yield Azurite(port=port, account_key=key, ca_file=str(tls.ca_file) if tls else "")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for the test process; tests keep apart by container names."""
    with running_azurite() as server:
        yield server


def install_azurite() -> Path:
    """Install Azurite from the npm registry once per user; gives its start script."""
    return npm.installed("azurite", AZURITE_VERSION) / "node_modules/azurite/dist/src/blob/main.js"
