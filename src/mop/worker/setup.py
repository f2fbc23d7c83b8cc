"""Bringing both databases to the state that this release needs."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command

from mop.engine.runtime import prepare_database


def prepare_databases() -> None:
    """Migrate MOP's tables, seed the defaults, and create or migrate the engine's tables."""
    settings.MOP_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    prepare_database(settings.MOP_ENGINE_URL)
