from __future__ import annotations

import json
import os
import subprocess
import sys

from mop.findings.rescans import RESCAN_WORKFLOW
from mop.loadtest.services import LOAD_TEST_WORKFLOW
from mop.onboarding.workflows import ONBOARDING_WORKFLOW
from mop.registry.start import PIPELINE_WORKFLOW

# what a worker has imported when it starts, and nothing that the tests of this process did
KNOWN = """
import json, django
django.setup()
import mop.worker.host
from dbos._dbos import _get_or_create_dbos_registry
print(json.dumps(sorted(_get_or_create_dbos_registry().workflow_info_map)))
"""


def test_a_worker_knows_the_work_of_every_queue_that_it_serves():
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "mop.conf.settings"}
    known = json.loads(subprocess.check_output([sys.executable, "-c", KNOWN], env=environment))
    assert {PIPELINE_WORKFLOW, ONBOARDING_WORKFLOW, RESCAN_WORKFLOW, LOAD_TEST_WORKFLOW} <= set(known)
