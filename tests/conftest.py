"""Fixtures that several areas share."""

from __future__ import annotations

import pytest
from dbos import run_dbos_database_migrations
from django.conf import settings


@pytest.fixture(scope="session")
def engine_database() -> str:
    """The url of an engine database of this test process, its tables made."""
    run_dbos_database_migrations(settings.MOP_ENGINE_URL)
    return str(settings.MOP_ENGINE_URL)
