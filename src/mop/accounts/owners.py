"""Owners of models and datasets: added, removed, never the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from mop.accounts.models import User
from mop.areas.words import AuditAction
from mop.audit.services import Actor, record
from mop.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class Ownership:
    """How the owners of one kind of thing change. A thing has a name, and people in its relation `owners`.

    Attributes:
        object_type: of the audit log.
        added, removed: what is recorded.
        tell: tells people of a change; given the thing, and by keyword actor, user, is_owner and the audit event's id.
    """

    object_type: str
    added: AuditAction
    removed: AuditAction
    tell: Callable[..., None]

    @transaction.atomic
    def add(self, *, actor: Actor, thing: Any, user: User) -> None:
        """Make a user an owner; does nothing if they are one."""
        if thing.owners.filter(pk=user.pk).exists():
            return
        thing.owners.add(user)
        self._record(self.added, actor=actor, thing=thing, user=user, is_owner=True)

    @transaction.atomic
    def remove(self, *, actor: Actor, thing: Any, user: User) -> None:
        """Take a user off the owners; does nothing if they are none.

        Raises:
            ConflictError: they are the last owner.
        """
        locked = type(thing).objects.select_for_update(no_key=True).get(pk=thing.pk)
        if not locked.owners.filter(pk=user.pk).exists():
            return
        if not locked.owners.exclude(pk=user.pk).exists():
            raise ConflictError(f"{user.username} is the last owner of {thing.name}.", hint="Add another owner first.")
        locked.owners.remove(user)
        self._record(self.removed, actor=actor, thing=locked, user=user, is_owner=False)

    def _record(self, action: AuditAction, *, actor: Actor, thing: Any, user: User, is_owner: bool) -> None:
        event = record(
            actor=actor,
            action=action,
            object_type=self.object_type,
            object_id=thing.pk,
            object_label=thing.name,
            data={"user": user.username},
        )
        self.tell(thing, actor=actor, user=user, is_owner=is_owner, event=event.pk)


def get_owner_of(thing: Any, username: str) -> User:
    """An owner by user name.

    Raises:
        NotFoundError: the user does not own it.
    """
    owner: User | None = thing.owners.filter(username=username).first()
    if owner is None:
        raise NotFoundError(f"{username!r} is no owner of {thing.name}.")
    return owner
