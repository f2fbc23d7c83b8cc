"""Starting the matching of verified revisions from elsewhere, without bringing it along."""

from __future__ import annotations

from mop.engine.schedules import make_due
from mop.findings.names import MATCHING


def match_soon() -> None:
    """Let a worker match within a second or two; called when advisories were imported."""
    make_due(MATCHING)
