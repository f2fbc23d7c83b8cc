"""DBOS, the engine's library, without the driver of a database that is not used.

DBOS imports psycopg, PostgreSQL's driver, whatever its database is: 9 MB of a worker on SQLite. There its modules get a
stand-in, which imports the driver once one of them uses it, such as to tell of which kind an error is.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings

from mop.deferred import deferred

DRIVER = "psycopg"
IMPORTED_BY_NAME = "errors"  # from the driver, by DBOS


class _StandIn(ModuleType):
    def __getattr__(self, attribute: str) -> Any:
        if attribute == "__path__":  # an import asks whether this is a package
            raise AttributeError(attribute)
        _take_away(self)
        return getattr(import_module(self.__name__), attribute)


def import_dbos() -> None:
    """Import DBOS. Call it before anything else imports it, and while there are no threads.

    Until it returns every import of the driver gives the stand-in, afterwards the driver.
    """
    if not settings.MOP_ENGINE_URL.startswith("sqlite") or {DRIVER, "dbos"} & set(sys.modules):
        return
    stand_in = _StandIn(DRIVER)
    setattr(stand_in, IMPORTED_BY_NAME, deferred(f"{DRIVER}.{IMPORTED_BY_NAME}"))
    sys.modules[DRIVER] = stand_in
    try:
        import_module("dbos")
    finally:
        _take_away(stand_in)


def _take_away(stand_in: _StandIn) -> None:
    if sys.modules.get(DRIVER) is stand_in:
        del sys.modules[DRIVER]
