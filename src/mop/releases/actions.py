"""What is recorded of services, gates and releases."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    SERVICE_CREATED = "service.created"
    SERVICE_CHANGED = "service.changed"
    TASK_GATE_CHANGED = "task.gate_changed"
    SERVICE_GATE_CHANGED = "service.gate_changed"
    SERVICE_TOKEN_CREATED = "service_token.created"  # noqa: S105 - the name of an action
    SERVICE_TOKEN_REVOKED = "service_token.revoked"  # noqa: S105 - as above
    RELEASE_REQUESTED = "release.requested"
    RELEASE_APPROVED = "release.approved"
    RELEASE_REJECTED = "release.rejected"
    RELEASE_WITHDRAWN = "release.withdrawn"
    RELEASE_RELEASED = "release.released"
    RELEASE_RETIRED = "release.retired"
    RELEASE_ROLLED_BACK = "release.rolled_back"
    CANARY_STARTED = "release.canary_started"
    CANARY_CHANGED = "release.canary_changed"
    BUNDLE_ASKED = "bundle.asked"
    CANARY_ENDED = "release.canary_ended"
