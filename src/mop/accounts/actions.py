"""What is recorded of people, teams and tokens."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    USER_CREATED = "user.created"
    USER_ACCESS_CHANGED = "user.access_changed"
    USER_EMAIL_CHANGED = "user.email_changed"
    TEAM_CREATED = "team.created"
    TEAM_MEMBER_ADDED = "team.member_added"
    TEAM_MEMBER_REMOVED = "team.member_removed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - the action's name
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the action's name
    TOKEN_ROTATED = "token.rotated"  # noqa: S105 - the action's name
