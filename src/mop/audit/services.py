"""Writing the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mop.areas.registry import registered
from mop.areas.words import AuditAction
from mop.audit.models import AuditEvent


@dataclass(frozen=True)
class Actor:
    """Who acts: a user's primary key (or the name of a part of MOP), a label, and the network address."""

    id: str
    label: str
    address: str = ""

    @classmethod
    def system(cls, part: str) -> Actor:
        """A part of MOP itself, such as the worker."""
        return cls(id=f"system:{part}", label=f"MOP {part}")


def record(
    *,
    actor: Actor,
    action: AuditAction,
    object_type: str,
    object_id: object,
    object_label: str,
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append one event. Call it inside the transaction of the change that it tells of.

    Raises:
        ValueError: a bug: no area declares the action.
    """
    if not any(area.audit_actions and isinstance(action, area.audit_actions) for area in registered()):
        raise ValueError(f"no area declares the action {action!r}")
    return AuditEvent.objects.create(
        actor_id=actor.id,
        actor_label=actor.label,
        address=actor.address,
        action=action.value,
        object_type=object_type,
        object_id=str(object_id),
        object_label=object_label[:300],
        data=data or {},
    )
