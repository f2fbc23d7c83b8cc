from __future__ import annotations

import pytest

from mop.engine.client import enqueue
from mop.engine.names import check_known
from mop.registry.names import PIPELINE_WORKFLOW


def test_the_pipeline_is_known_in_every_process():
    check_known(PIPELINE_WORKFLOW)


def test_an_unknown_name_is_refused_before_it_waits_for_ever():
    with pytest.raises(ValueError, match=r"'pipeline\.rum'"):
        enqueue(workflow="pipeline.rum", queue="pipeline", workflow_id="1", args=())
