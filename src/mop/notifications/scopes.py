"""What a notification is about, and who may still see that: the areas above say it, as they know their objects.

    SCOPES["model"] = lambda user: models_owned_by(user).values("pk")

A notification outlives the right to see its object. So the right is asked again whenever the notification is shown or
sent, inside the query.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from mop.accounts.models import User

INSTALLATION = "installation"  # administrators see it

# scope's name → the ids that a user may see
SCOPES: dict[str, Callable[[User], QuerySet[Any, Any]]] = {}

# scope's name → the id of the team that the object with an id belongs to: its webhooks are told too
TEAMS: dict[str, Callable[[int], int | None]] = {}


@dataclass(frozen=True)
class Scope:
    """An object by the name of its kind and its id (None where there is one of its kind)."""

    type: str
    id: int | None = None


def within_sight(user: User, names: Collection[str] | None = None) -> Q:
    """Notifications about what the user may see now; those about themselves always.

    Args:
        user: who looks.
        names: of the scopes among them, where the caller knows.
    """
    visible = Q(scope_type="")
    for name, ids in SCOPES.items():
        if names is None or name in names:
            visible |= Q(scope_type=name, scope_id__in=ids(user))
    return visible | Q(scope_type=INSTALLATION) if user.is_administrator else visible
