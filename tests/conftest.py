"""Fixtures that several areas share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from dbos import run_dbos_database_migrations
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from support.migrated import fill_test_database
from support.static_files import gather_static_files_once

gather_static_files_once()
# what is imported stays, and looking through it again and again is a seventh of the processor time of these processes
gc.set_threshold(20_000, 20, 20)
# timings never decide a test: on a busy machine both an example and its generation take long now and then
hypothesis_settings.register_profile("mop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("mop")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What there is when all tests are collected is never garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def engine_database() -> str:
    """The url of an engine database of this test process, its tables made."""
    run_dbos_database_migrations(settings.MOP_ENGINE_URL)
    return str(settings.MOP_ENGINE_URL)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Here pytest-django lets settings of databases be changed, just before it makes the database of the tests."""
    fill_test_database()


@pytest.fixture(scope="module")
def kept_for_the_file(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What fixtures of a whole file make after this one stays in the database for its tests, and is rolled back then.

    A test with the mark or fixture of the database rolls back what it does itself, as everywhere.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
