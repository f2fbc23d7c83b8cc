from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from environments.packages import PackageIndex, pip_wheel
from support.azurite import azurite  # noqa: F401 - a fixture
from support.held_storage import HeldStorage, held_storage
from support.installation import Installation, running_installation


@pytest.fixture(scope="session")
def session_index() -> Iterator[PackageIndex]:
    index = PackageIndex()
    index.add(pip_wheel())
    yield index
    index.close()


@pytest.fixture
def index(session_index: PackageIndex) -> Iterator[PackageIndex]:
    """The package index of the installation; a test that holds or breaks it restores it at the end."""
    session_index.waiting.clear()
    yield session_index
    session_index.gate.set()
    session_index.status = HTTPStatus.OK


@pytest.fixture(scope="session")
def session_storage() -> Iterator[HeldStorage]:
    with held_storage() as storage:
        yield storage


@pytest.fixture
def storage(session_storage: HeldStorage) -> Iterator[HeldStorage]:
    """A storage that the installation may read; a test that holds it lets it go at the end."""
    session_storage.waiting.clear()
    yield session_storage
    session_storage.held = False


@pytest.fixture(scope="session")
def shared_mop(session_index: PackageIndex, session_storage: HeldStorage) -> Iterator[Installation]:
    """One installation for all tests that need no portal of their own; further options are given to a worker."""
    with running_installation(
        package_index=session_index.url,
        azure_accounts=session_storage.accounts,
        advisories="imported",
        chaos=True,
        load_test_step_seconds=2,  # so long that the service is looked at twice, also on a busy machine
        load_test_warm_up_seconds=0.1,
        load_test_target_max=10,
    ) as mop:
        yield mop


@pytest.fixture
def mop(shared_mop: Installation) -> Iterator[Installation]:
    """An installation without a worker; what a test starts is stopped after it, and nothing may be left."""
    yield shared_mop
    shared_mop.leave_clean()
