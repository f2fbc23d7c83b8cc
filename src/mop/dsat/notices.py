"""What people are told of DSAT cases. No text holds content, description or tags: e-mails leave the installation."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.dsat.kinds import Kind
from mop.dsat.models import Case
from mop.dsat.states import CaseState
from mop.notifications.scopes import Scope
from mop.notifications.services import News, forget_scope, notify

CASE_SCOPE = "dsat case"


def notify_assigned(case: Case, *, actor: Actor, event: int) -> None:
    """Tell a person that a case is theirs now. `event` is the id of the audit event, so that each time is told."""
    if case.assignee is None:
        return
    reason = f"{actor.label} assigned it. It belongs to {case.task.name}."
    _notify(case, [case.assignee], Kind.ASSIGNED, f"assigned:{event}", f"{case} is assigned to you", reason, actor)


def notify_state(case: Case, *, before: CaseState | None, actor: Actor) -> None:
    """Tell the submitter of a fix, and who works on the case that it is open again."""
    state = case.get_state()
    if state is CaseState.FIXED and case.submitter is not None:
        reason = f"A version answers it as expected. Close {case}, or reopen it with a comment."
        _notify(case, [case.submitter], Kind.FIXED, f"fixed:{case.attempt}", f"{case} is fixed", reason, actor)
    elif state is CaseState.OPEN and before is not None and before.is_final:
        people = [case.assignee] if case.assignee else list(case.task.owners.order_by("pk"))
        title = f"{case} is reopened"
        reason = f"{actor.label} reopened it. It belongs to {case.task.name}."
        _notify(case, people, Kind.REOPENED, f"reopened:{case.attempt}", title, reason, actor)


def forget_case(case_id: int) -> None:
    """Remove what was told of a case that is deleted."""
    forget_scope(Scope(CASE_SCOPE, case_id))


def told_of(user: User) -> QuerySet[Case, Any]:
    """Ids of the cases that the person may be told of: those that they are on, and those of their tasks."""
    on_it = Q(submitter=user) | Q(assignee=user) | Q(task__owners=user)
    return Case.objects.filter(on_it).order_by().values("pk")


def team_of_case(case_id: int) -> int | None:
    """The id of the team that the case's task belongs to."""
    return Case.objects.filter(pk=case_id).values_list("task__team_id", flat=True).first()


def _notify(case: Case, people: list[User], kind: Kind, event: str, title: str, reason: str, actor: Actor) -> None:
    notify(
        actor=actor,
        people=people,
        news=News(
            kind=kind,
            event=f"dsat:{case.pk}:{event}",
            title=title,
            reason=reason,
            link=reverse("dsat:case", args=[case.pk]),
            scope=Scope(CASE_SCOPE, case.pk),
        ),
    )
