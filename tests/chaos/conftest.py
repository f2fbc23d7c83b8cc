from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from environments.packages import PackageIndex, pip_wheel
from support.held_storage import HeldStorage, held_storage
from support.installation import Installation, running_installation


@pytest.fixture(scope="module")
def module_index() -> Iterator[PackageIndex]:
    index = PackageIndex()
    index.add(pip_wheel())
    yield index
    index.close()


@pytest.fixture
def index(module_index: PackageIndex) -> Iterator[PackageIndex]:
    """The package index of the installation; a test that holds or breaks it restores it at the end."""
    module_index.waiting.clear()
    yield module_index
    module_index.gate.set()
    module_index.status = HTTPStatus.OK


@pytest.fixture(scope="module")
def storage() -> Iterator[HeldStorage]:
    with held_storage() as storage:
        yield storage


@pytest.fixture(scope="module")
def module_mop(module_index: PackageIndex, storage: HeldStorage) -> Iterator[Installation]:
    with running_installation(package_index=module_index.url, azure_accounts=storage.accounts) as mop:
        yield mop


@pytest.fixture
def mop(module_mop: Installation) -> Iterator[Installation]:
    """An installation without a worker; what a test starts is stopped after it, and nothing may be left."""
    yield module_mop
    module_mop.leave_clean()
