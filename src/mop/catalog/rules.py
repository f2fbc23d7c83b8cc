"""Who may define what models resolve and run on."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import is_administrator, is_signed_in
from mop.catalog.models import Task


@rules.predicate
def is_task_owner(user: User | AnonymousUser, task: Task | None) -> bool:
    """The user owns the task."""
    return task is not None and any(owner.pk == user.pk for owner in task.owners.all())


rules.add_perm("catalog.view", is_signed_in)
rules.add_perm("catalog.define", is_administrator)
rules.add_perm("catalog.change_task", is_administrator | is_task_owner)
