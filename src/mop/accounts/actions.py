"""What is recorded of people, teams and tokens."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    USER_CREATED = "user.created"
    USER_ACCESS_CHANGED = "user.access_changed"
    USER_INVITED = "user.invited"
    USER_INVITATION_WITHDRAWN = "user.invitation_withdrawn"
    USER_RESET_LINK = "user.reset_link_made"
    USER_PASSWORD_SET = "user.password_set"  # noqa: S105 - the action's name
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGN_IN_REFUSED = "user.sign_in_refused"
    USER_SESSIONS_ENDED = "user.sessions_ended"
    USER_LAST_ADMINISTRATOR_KEPT = "user.last_administrator_kept"
    USER_SECOND_FACTOR_CHANGED = "user.second_factor_changed"
    USER_REASSIGNED = "user.reassigned"
    USER_EMAIL_CHANGED = "user.email_changed"
    TEAM_CREATED = "team.created"
    TEAM_CHANGED = "team.changed"
    TEAM_DELETED = "team.deleted"
    TEAM_LIMIT_CHANGED = "team.limit_changed"
    TEAM_MEMBER_ADDED = "team.member_added"
    TEAM_MEMBER_REMOVED = "team.member_removed"
    TOKEN_CREATED = "token.created"  # noqa: S105 - the action's name
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the action's name
    TOKEN_ROTATED = "token.rotated"  # noqa: S105 - the action's name
