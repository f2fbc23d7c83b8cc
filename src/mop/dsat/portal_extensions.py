"""What DSAT cases show on the page of a task, and on Home."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.catalog.models import Task
from mop.dsat.models import Case
from mop.dsat.reading import reader
from mop.dsat.selectors import CaseFilter, cases_for_list, grants_of
from mop.dsat.states import WAITING, CaseState
from mop.dsat.views.listing import row_of
from mop.ui.extensions import HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import kind_of, newest_of_kinds

_NEWEST = 10


def task_cases(request: HttpRequest, task: Task) -> SafeString:
    """The newest cases of a task, and who reads them."""
    user = user_of(request)
    reading = reader(user)
    cases, _ = cases_for_list(CaseFilter(task=task.name), reading)
    context = {
        "task": task,
        "rows": [row_of(case, reading) for case in cases.order_by("-id")[:_NEWEST]],
        "sees_grants": may(user, "dsat.see_grants", task),
        "may_grant": may(user, "dsat.grant_team", task),
        "may_take": may(user, "dsat.grant_self"),
        "grants": grants_of(task) if may(user, "dsat.see_grants", task) else [],
    }
    return render_to_string("dsat/components/task.html", context, request=request)


def home(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Cases that are assigned to the person, and own cases that are fixed and wait to be closed."""
    kinds = (Q(assignee=user, state__in=WAITING), Q(submitter=user, state=CaseState.FIXED))
    found = newest_of_kinds(Case.objects.select_related("task"), kinds, by="id", most=HOME_ITEMS_MAX)
    words = (("is assigned to you", "Review", "dsat"), ("is fixed", "Close or reopen", "ok"))
    return [_item(case, *words[kind_of(case)]) for case in found]


def _item(case: Case, text: str, action: str, icon: str) -> HomeItem:
    return HomeItem(
        place=HomeList.NEEDS,
        what=case.number,
        url=reverse("dsat:case", args=[case.pk]),
        text=text,
        reason=f"It belongs to {case.task.name}.",
        at=case.state_changed_at,
        action=action,
        icon=icon,
    )
