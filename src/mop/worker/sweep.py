"""The jobs whose enqueue may be lost, and the schedule that enqueues them again."""

from __future__ import annotations

from mop.engine.job import SWEEP_SECONDS, register_job, sweep_lost_enqueues
from mop.engine.schedules import register_schedule
from mop.findings.rescans import RESCAN_JOB
from mop.loadtest.services import LOAD_TEST_JOB
from mop.registry.start import PIPELINE_JOB

register_job(PIPELINE_JOB)
register_job(LOAD_TEST_JOB)
register_job(RESCAN_JOB)
register_schedule("worker.lost_enqueues", SWEEP_SECONDS, sweep_lost_enqueues)
