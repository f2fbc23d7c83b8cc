"""Libraries that take megabytes, and that portal and worker do without until somebody uses what needs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from mop.deferred import deferred

FOR_FILES = {"PIL", "numpy", "obstore", "pyarrow", "pynvml", "rensa", "xxhash"}
FOR_OTHER_HOSTS = {"aiohttp", "azure", "cvss", "httpcore", "httpx", "jwt", "requests"}
FOR_SIGN_IN = {"cryptography", "fido2"}  # the first sign-in brings both
FOR_PAGES = {"markdown_it"}
FOR_OTHER_PROCESSES = {"bandit", "detect_secrets", "mop_client", "rich", "typer", "uvicorn", "uvloop"}
FOR_THE_ENGINE = {"dbos", "sqlalchemy", "yaml"}  # the portal uses it from its first enqueue on
FOR_POSTGRESQL = {"psycopg", "psycopg_binary"}
FOR_THE_API = {"ninja", "pydantic"}
UNUSED = FOR_FILES | FOR_OTHER_HOSTS | FOR_OTHER_PROCESSES | FOR_SIGN_IN | FOR_PAGES

PORTAL = """
import mop.conf.wsgi
from django.urls import get_resolver
get_resolver().reverse_dict
from django.test import Client
assert Client().get("/accounts/login/", headers={"host": "localhost"}).status_code == 200
"""
WORKER = """
from mop.engine.library import import_dbos
import_dbos()
import mop.worker.__main__, mop.worker.host, mop.worker.areas, mop.engine.job, mop.engine.schedules
mop.worker.areas.load_workflows()
mop.worker.areas.register_schedules()
mop.engine.job.all_jobs()
"""


@pytest.mark.parametrize(
    ("code", "unused"),
    [
        pytest.param(PORTAL, UNUSED | FOR_THE_ENGINE | FOR_POSTGRESQL, id="the portal on SQLite"),
        pytest.param(WORKER, UNUSED | FOR_THE_API | FOR_POSTGRESQL, id="the worker on SQLite"),
    ],
)
def test_an_idle_process_has_no_library_that_it_does_not_use(code: str, unused: set[str], tmp_path: Path):
    """A process of its own, which imports what the real one does. To import later: `mop.deferred`."""
    code = f"import django; django.setup(){code}\nimport sys; print(*sorted({unused!r} & set(sys.modules)))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    environment |= {"MOP_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=100, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize("package", ["mop.datasets.reading", "mop.sandbox", "mop_client"])
def test_what_a_package_imports_late_is_called_like_none_of_its_modules(package: str):
    """Once such a module is imported, the package's attribute of that name is the module."""
    found = import_module(package)
    folder = Path(str(found.__file__)).parent
    assert {*found.__all__}.isdisjoint(path.stem for path in folder.iterdir())


def test_a_deferred_module_is_the_module_itself(monkeypatch: pytest.MonkeyPatch):
    late = deferred("json")
    assert late.dumps is json.dumps
    monkeypatch.setattr(json, "dumps", "replaced")
    assert late.dumps == "replaced"
