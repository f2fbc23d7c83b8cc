"""Events of the audit log as a page shows them: words instead of identifiers, texts instead of JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mop.areas.scopes import scopes_label
from mop.areas.words import action_label, object_type_label
from mop.audit.models import AuditEvent
from mop.ui.templatetags.mop_ui import moment_text

_NAMES = {
    "is_active": "account enabled",
    "is_administrator": "administrator",
    "memory_gib": "memory (GiB)",
    "revision": "revision id",
    "vcpus": "vCPUs",
}


@dataclass(frozen=True)
class ShownEvent:
    """An event, and its words.

    Attributes:
        facts: names and values of its details.
    """

    event: AuditEvent
    action: str
    object_type: str
    facts: list[tuple[str, str]]


def shown_events(events: Iterable[AuditEvent]) -> list[ShownEvent]:
    """The events of a page."""
    return [
        ShownEvent(event, action_label(event.action), object_type_label(event.object_type), _facts(event.data))
        for event in events
    ]


def _facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    texts = (
        (_NAMES.get(name) or name.replace("_", " "), scopes_label(value) if name == "scopes" else _text(value))
        for name, value in data.items()
    )
    return [(name, text) for name, text in texts if text]


def _text(value: Any) -> str:
    """A value of JSON as a text; empty where there is nothing to say."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in _facts(value))
    if isinstance(value, list):
        return ", ".join(text for text in map(_text, value) if text)
    return "" if value is None else _with_moment(str(value))


def _with_moment(text: str) -> str:
    """A text; where it is a moment in ISO 8601, the moment as pages write it."""
    if "T" not in text:
        return text
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo is None else moment_text(moment)
