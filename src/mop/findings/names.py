"""Names of work that this area starts and an area above does."""

from __future__ import annotations

MATCHING = "findings.matching"
RESCAN_WORKFLOW = "onboarding.rescan"
SCANS_QUEUE = "scans"
