"""Letting teams read the content of a task's cases, and administrators who take that right."""

from __future__ import annotations

from django.db import transaction

from mop.accounts.models import Team, User
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.dsat.actions import Action
from mop.dsat.models import ContentGrant
from mop.errors import NotFoundError


@transaction.atomic
def grant_team(*, actor: Actor, task: Task, team: Team) -> ContentGrant:
    """Let the members of a team read the content of a task's cases, but for restricted ones."""
    grant, is_new = ContentGrant.objects.get_or_create(task=task, team=team, defaults={"granted_by_label": actor.label})
    if is_new:
        _record(actor, Action.ACCESS_GRANTED, task, f"team {team.name}")
    return grant


@transaction.atomic
def grant_self(*, actor: Actor, task: Task, administrator: User) -> ContentGrant:
    """Let an administrator read the content of a task's cases, at their own decision, which is recorded."""
    grant, is_new = ContentGrant.objects.get_or_create(
        task=task, user=administrator, defaults={"granted_by_label": actor.label}
    )
    if is_new:
        _record(actor, Action.ACCESS_GRANTED, task, f"administrator {administrator.username}")
    return grant


@transaction.atomic
def withdraw(*, actor: Actor, task: Task, grant_id: int) -> None:
    """Take a right to read back.

    Raises:
        NotFoundError: there is no such right for the task.
    """
    grant = ContentGrant.objects.filter(task=task, pk=grant_id).select_related("team", "user").first()
    if grant is None:
        raise NotFoundError(f"There is no access {grant_id} to the cases of {task.name}.")
    to = f"team {grant.team.name}" if grant.team else f"administrator {grant.user}"
    grant.delete()
    _record(actor, Action.ACCESS_WITHDRAWN, task, to)


def _record(actor: Actor, action: Action, task: Task, to: str) -> None:
    record(actor=actor, action=action, object_type="task", object_id=task.pk, object_label=task.name, data={"to": to})
