"""The engine's library is imported without PostgreSQL's driver, which is there as soon as something asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

IMPORT = """
import sys
import django; django.setup()
from mop.engine.library import import_dbos
import_dbos()
import_dbos()
assert "dbos" in sys.modules and not {"psycopg", "psycopg_binary"} & set(sys.modules)
"""
# of an error the library looks whether it is one of the driver
ERROR = """
import sqlite3
from sqlalchemy.exc import OperationalError
from dbos._utils import retriable_postgres_exception
assert not retriable_postgres_exception(OperationalError("select 1", {}, sqlite3.OperationalError("locked")))
assert "psycopg_binary" in sys.modules
import psycopg
assert retriable_postgres_exception(OperationalError("select 1", {}, psycopg.OperationalError("connection failed")))
"""
NAME_IN_ERRORS = """
import dbos._sys_db
assert dbos._sys_db.pg_errors.LockNotAvailable.sqlstate == "55P03"
import psycopg
assert dbos._sys_db.pg_errors.LockNotAvailable is psycopg.errors.LockNotAvailable
"""
DRIVER = """
import psycopg
import psycopg.rows
assert psycopg.connect and psycopg.__path__ and sys.modules["psycopg"] is psycopg
"""
CONNECTION = """
import sqlalchemy
assert sqlalchemy.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing").dialect.dbapi.connect
"""
# each is the first use in a process of its own, a fork
EACH = f"""
import os
for code in {[ERROR, NAME_IN_ERRORS, DRIVER, CONNECTION]!r}:
    if not (pid := os.fork()):
        exec(code)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, code
"""


def test_on_sqlite_the_driver_is_imported_when_something_uses_it(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    environment |= {"MOP_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    argv = [sys.executable, "-c", IMPORT + EACH]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr
