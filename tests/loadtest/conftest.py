"""People and a model whose load tests are looked at."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

from support.people import model, owner, revision, stranger  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def stats() -> ModuleType:
    """scipy's statistics; importing them takes a second, so whoever collects the tests does without."""
    return import_module("scipy.stats")
