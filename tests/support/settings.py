"""The settings of an installation of its own for each test process; a process that a test starts shares MOP_HOME.

`MOP_TEST_DATABASE=postgresql` lets the tests of this run work on a PostgreSQL server that starts and ends with it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from support.postgres import PostgresServer

_database = os.environ.get("MOP_TEST_DATABASE", "")
_server = os.environ.get("MOP_TEST_SERVER", "")
_inputs = {name: os.environ[name] for name in ("MOP_FIELD_CASES", "MOP_REAL_DATA") if name in os.environ}
for _name in [name for name in os.environ if name.startswith("MOP_")]:
    del os.environ[_name]  # the developer's own installation stays out of the tests
os.environ |= _inputs
_home = tempfile.mkdtemp(prefix="mop-test-")
os.environ["MOP_HOME"] = _home
atexit.register(shutil.rmtree, _home, ignore_errors=True)
if _database == "postgresql":
    if not _server:
        _started = PostgresServer()
        atexit.register(_started.remove)
        _started.start()
        _server = _started.url("postgres")
    os.environ |= {"MOP_TEST_DATABASE": _database, "MOP_TEST_SERVER": _server}  # pytest's own processes share it
    os.environ |= {"MOP_DATABASE_URL": _server, "MOP_ENGINE_URL": f"{_server}_engine_{os.getpid()}"}

from mop.conf.settings import *  # noqa: E402, F403 - reads MOP_HOME

# programs that tests start do not find the database of the tests, which is pytest's own affair
for _name in ("MOP_DATABASE_URL", "MOP_ENGINE_URL"):
    os.environ.pop(_name, None)
# a password hash costs a third of a second on purpose; tests sign in hundreds of times
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# the folder that file:// urls of tests may lie in
MOP_FILE_ROOTS = (Path(_home) / "folders",)
MOP_FILE_ROOTS[0].mkdir()
# each team of the tests reads below it, unless a test is about that
MOP_SOURCE_PREFIXES = (
    '[{"team": "*", "purpose": "models", "prefix": "*"}, {"team": "*", "purpose": "datasets", "prefix": "*"}]'
)
MOP_TRY_CLAIM_SECONDS = 0.1  # no worker runs beside these tests
MOP_ADVISORIES = "off"  # no test asks a service that is not its own
MOP_WEBHOOK_HOSTS = ("hooks.example",)  # a name that stands for no host
STATIC_ROOT.mkdir()  # noqa: F405 - whitenoise warns of a missing one
