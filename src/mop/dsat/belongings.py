"""Cases that wait for a person, and are handed over when that person leaves.

Restricted ones are not: who is on such a case reads what the submitter kept from everybody else, so the submitter alone
chooses another person.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor
from mop.dsat.models import Case
from mop.dsat.services import assign
from mop.dsat.states import WAITING


def cases_of(user: User) -> Belongings:
    """The cases that are assigned to a person and not done."""
    cases = _handed_over(user).order_by("id")
    return Belongings("DSAT cases", [(case.number, reverse("dsat:case", args=[case.pk])) for case in cases], _hand_over)


def _handed_over(user: User) -> QuerySet[Case]:
    return Case.objects.filter(assignee=user, state__in=WAITING, is_restricted=False)


@transaction.atomic
def _hand_over(actor: Actor, user: User, to: User) -> int:
    cases = list(_handed_over(user))
    for case in cases:
        assign(actor=actor, case=case, to=to)
    return len(cases)
