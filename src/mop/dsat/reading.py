"""Who may read the content of a case, and what people wrote about it.

People on the case (submitter and assignee) always may. While the submitter has not restricted the case, so may the
owners of its task, members of teams that an owner of the task let read, and administrators who took the right, as
long as they are administrators.
Everybody else sees that there is a case, and nothing that leads to its content.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.dsat.models import Case


@dataclass(frozen=True)
class Reader:
    """A person, and the tasks whose cases they may read. Asked once for a page.

    Attributes:
        user: who reads.
        tasks: ids of the tasks that they own or may read.
    """

    user: User
    tasks: frozenset[int]

    def reads(self, case: Case) -> bool:
        """Whether the person may read the content of this case."""
        if self.user.pk in (case.submitter_id, case.assignee_id):
            return True
        return not case.is_restricted and case.task_id in self.tasks

    @property
    def readable(self) -> Q:
        """The same as a condition on cases."""
        on_it = Q(submitter=self.user.pk) | Q(assignee=self.user.pk)
        return on_it | Q(is_restricted=False, task__in=self.tasks) if self.tasks else on_it


def reader(user: User) -> Reader:
    """What a person may read. One query."""
    owned = Q(owners=user)
    granted = Q(dsat_grants__team__members=user)
    if user.is_administrator:  # the right was taken in that role, and ends with it
        granted |= Q(dsat_grants__user=user)
    return Reader(user, frozenset(Task.objects.filter(owned | granted).order_by().values_list("pk", flat=True)))


def may_read_content(user: User, case: Case) -> bool:
    """Whether a person may read the content of one case."""
    return reader(user).reads(case)
