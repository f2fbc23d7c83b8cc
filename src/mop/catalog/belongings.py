"""Tasks that a person owns."""

from __future__ import annotations

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor
from mop.catalog.models import Task
from mop.catalog.services import replace_owner


def tasks_of(user: User) -> Belongings:
    """The tasks that a person owns."""
    tasks = Task.objects.filter(owners=user).order_by("name")
    return Belongings("Tasks", [(task.name, f"/tasks/{task.pk}/") for task in tasks], _hand_over)


def _hand_over(actor: Actor, user: User, to: User) -> int:
    tasks = list(Task.objects.filter(owners=user))
    for task in tasks:
        replace_owner(actor=actor, task=task, user=user, to=to)
    return len(tasks)
