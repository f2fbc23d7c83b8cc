from __future__ import annotations

import json
import os
import subprocess
import sys

from mop.areas.registry import registered

# in a process of its own: in this one, other tests have imported the workflows
START = """
import asyncio, json, os, django
django.setup()
from dbos._dbos import _get_or_create_dbos_registry
from django.conf import settings
from mop.engine.runtime import prepare_database
from mop.worker.host import start

prepare_database(settings.MOP_ENGINE_URL)
asyncio.run(start("w1", ()))
print(json.dumps(sorted(_get_or_create_dbos_registry().workflow_info_map)), flush=True)
os._exit(0)
"""


def test_a_worker_that_started_knows_the_workflows_of_every_area():
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    known = json.loads(subprocess.check_output([sys.executable, "-c", START], env=environment))
    assert {workflow.name for area in registered() for workflow in area.workflows} <= set(known)
