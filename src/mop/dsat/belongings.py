"""Cases that wait for a person, and are handed over when that person leaves."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor
from mop.dsat.models import Case
from mop.dsat.services import assign
from mop.dsat.states import WAITING


def cases_of(user: User) -> Belongings:
    """The cases that are assigned to a person and not done."""
    cases = Case.objects.filter(assignee=user, state__in=WAITING).order_by("id")
    return Belongings("DSAT cases", [(case.number, reverse("dsat:case", args=[case.pk])) for case in cases], _hand_over)


@transaction.atomic
def _hand_over(actor: Actor, user: User, to: User) -> int:
    cases = list(Case.objects.filter(assignee=user, state__in=WAITING))
    for case in cases:
        assign(actor=actor, case=case, to=to)
    return len(cases)
