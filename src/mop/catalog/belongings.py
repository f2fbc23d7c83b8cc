"""Tasks that a person owns."""

from __future__ import annotations

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor
from mop.catalog.models import Task
from mop.catalog.services import change_task


def tasks_of(user: User) -> Belongings:
    """The tasks that a person owns."""
    tasks = Task.objects.filter(owners=user).order_by("name")
    return Belongings("Tasks", [(task.name, f"/tasks/{task.pk}/") for task in tasks], _hand_over)


def _hand_over(actor: Actor, user: User, to: User) -> int:
    tasks = list(Task.objects.filter(owners=user))
    for task in tasks:
        owners = {owner.pk: owner for owner in task.owners.all()}
        owners.pop(user.pk)
        change_task(actor=actor, task=task, description=task.description, owners=[*owners.values(), to])
    return len(tasks)
