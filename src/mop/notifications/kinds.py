"""Kinds of notifications: what areas tell people."""

from __future__ import annotations

from mop.areas.registry import registered
from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """What this area itself tells."""

    ALERT = "alert", "The installation needs its operator", "bad", True
    TOKEN_EXPIRES = "tokenExpires", "An access token of mine is about to expire", "warn"
    WEBHOOK_DISABLED = "webhookDisabled", "A webhook of mine was switched off", "bad"


def all_kinds() -> list[NotificationKind]:
    """The kinds of all areas, by which people choose what they are told; those of administrators last."""
    found = [kind for area in registered() if area.notification_kinds for kind in area.notification_kinds]
    return sorted(found, key=lambda kind: kind.for_administrators)


def kind_of(value: str) -> NotificationKind:
    """The kind with a value.

    Raises:
        ValueError: a bug: no area has it, so nobody could choose whether they are told.
    """
    found = next((kind for kind in all_kinds() if kind.value == value), None)
    if found is None:
        raise ValueError(f"no area has notifications of the kind {value!r}")
    return found
