from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mop.storage import ArtifactStore, AzureAccount, RetryPolicy, StorageConfig
from support.azurite import azurite

from .fault_server import FaultServer

__all__ = ["azurite"]

QUICK = RetryPolicy(attempts=1, first_backoff_s=0.01, connect_timeout_s=5, read_timeout_s=1, forbidden_delays_s=())
# for servers that answer, however busy the machine is
PATIENT = replace(QUICK, connect_timeout_s=60, read_timeout_s=60)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore.local(tmp_path / "store")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
async def fault_server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest.fixture
def write_tree() -> Callable[[Path, dict[str, bytes]], Path]:
    def write(folder: Path, files: dict[str, bytes]) -> Path:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return write


def quick_config(account: AzureAccount, *, retry: RetryPolicy = QUICK) -> StorageConfig:
    return StorageConfig(azure_accounts=(account,), retry=retry)
