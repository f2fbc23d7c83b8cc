"""What is recorded and told of greetings."""

from __future__ import annotations

from mop.areas.words import AuditAction, NotificationKind


class Action(AuditAction):
    ASKED = "greeting.asked"
    ANSWERED = "greeting.answered"


class Kind(NotificationKind):
    GREETED = "greeted", "greeting", "Somebody is greeted", "ok"
