"""What is recorded of scans and waivers."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    REVISION_SCANNED = "revision.scanned"
    REVISION_RESCAN_ASKED = "revision.rescan_asked"
    WAIVER_CREATED = "waiver.created"
    WAIVER_ENDED = "waiver.ended"
