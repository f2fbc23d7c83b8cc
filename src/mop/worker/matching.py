"""Verified revisions are decided about again on a schedule: when advisories, policy or waivers have changed."""

from __future__ import annotations

from mop.engine.schedules import register_schedule
from mop.findings.matching import match_again
from mop.findings.triggers import SCHEDULE

EVERY_SECONDS = 300.0

register_schedule(SCHEDULE, EVERY_SECONDS, match_again)
