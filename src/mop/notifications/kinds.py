"""Kinds of notifications: what areas tell people."""

from __future__ import annotations

from mop.areas.registry import registered
from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """What this area itself tells."""

    ALERT = "alert", "alert", "A fault of the installation needs its operator", "bad", True
    TOKEN_EXPIRES = "tokenExpires", "token expires", "An access token of mine is about to expire", "warn"
    WEBHOOK_DISABLED = "webhookDisabled", "webhook switched off", "A webhook of mine was switched off", "bad"


TEST_KIND = "webhook.test"
_OTHER_LABELS = {TEST_KIND: "A test message"}


def all_kinds() -> list[NotificationKind]:
    """The kinds of all areas, by which people choose what they are told; those of administrators last."""
    found = [kind for area in registered() if area.notification_kinds for kind in area.notification_kinds]
    return sorted(found, key=lambda kind: kind.for_administrators)


def kind_label(value: str) -> str:
    """What people read for a kind: its label; the kind itself where only a later or an earlier MOP has it."""
    found = next((kind for kind in all_kinds() if kind.value == value), None)
    return found.label if found else _OTHER_LABELS.get(value, value)


def kind_of(value: str) -> NotificationKind:
    """The kind with a value.

    Raises:
        ValueError: a bug: no area has it, so nobody could choose whether they are told.
    """
    found = next((kind for kind in all_kinds() if kind.value == value), None)
    if found is None:
        raise ValueError(f"no area has notifications of the kind {value!r}")
    return found
