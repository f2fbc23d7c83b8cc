"""Who may do what with cases. Whether the content may be read is asked in `reading.py`."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import is_administrator, is_signed_in
from mop.catalog.rules import is_task_owner
from mop.dsat.models import Case, Import
from mop.dsat.reading import may_read_content


@rules.predicate
def is_submitter(user: User | AnonymousUser, case: Case | None) -> bool:
    """The user added the case."""
    return case is not None and user.is_authenticated and case.submitter_id == user.pk


@rules.predicate
def is_assignee(user: User | AnonymousUser, case: Case | None) -> bool:
    """The case is assigned to the user."""
    return case is not None and user.is_authenticated and case.assignee_id == user.pk


@rules.predicate
def owns_its_task(user: User | AnonymousUser, case: Case | None) -> bool:
    """The user owns the task of the case."""
    return case is not None and any(owner.pk == user.pk for owner in case.task.owners.all())


@rules.predicate
def came_from_a_service(_user: User | AnonymousUser, case: Case | None) -> bool:
    """A service reported the case, so no person is its submitter."""
    return case is not None and case.submitter_id is None


@rules.predicate
def is_unrestricted(_user: User | AnonymousUser, case: Case | None) -> bool:
    """The submitter did not restrict the case."""
    return case is not None and not case.is_restricted


@rules.predicate
def reads_content(user: User | AnonymousUser, case: Case | None) -> bool:
    """The user may read the content."""
    return case is not None and isinstance(user, User) and may_read_content(user, case)


@rules.predicate
def started_import(user: User | AnonymousUser, found: Import | None) -> bool:
    """The user sent the file."""
    return found is not None and user.is_authenticated and found.submitter_id == user.pk


works_on_it = is_assignee | owns_its_task
answers_for_it = is_submitter | (came_from_a_service & owns_its_task)

rules.add_perm("dsat.view", is_signed_in)
rules.add_perm("dsat.create", is_signed_in)
rules.add_perm("dsat.read_content", reads_content)
rules.add_perm("dsat.comment", reads_content)
rules.add_perm("dsat.change", is_submitter | (works_on_it & reads_content))
# the assignee reads the content, so who may not read a restricted case cannot assign it to themselves either
rules.add_perm("dsat.assign", is_submitter | (works_on_it & is_unrestricted))
rules.add_perm("dsat.decide", works_on_it)
rules.add_perm("dsat.close", is_submitter | works_on_it)
rules.add_perm("dsat.reopen", answers_for_it)
rules.add_perm("dsat.restrict", is_submitter)
rules.add_perm("dsat.delete", answers_for_it)
rules.add_perm("dsat.see_import", started_import)
rules.add_perm("dsat.see_grants", is_task_owner | is_administrator)
rules.add_perm("dsat.grant_team", is_task_owner)
rules.add_perm("dsat.grant_self", is_administrator)
