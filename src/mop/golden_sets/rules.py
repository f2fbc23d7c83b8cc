"""Who may do what with golden sets. Everybody signed in sees which there are; results go with the revision."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.catalog.rules import is_task_owner
from mop.golden_sets.models import GoldenVersion
from mop.registry.rules import is_model_owner


@rules.predicate
def may_read_rows(user: User | AnonymousUser, version: GoldenVersion | None) -> bool:
    """The user supplied the version, and owns the task still."""
    return (
        version is not None and version.supplied_by_id == user.pk and bool(is_task_owner(user, version.golden_set.task))
    )


# of a task: add a golden set, give a set its next version, delete one
rules.add_perm("golden_sets.change", is_task_owner)
# of a version of a golden set
rules.add_perm("golden_sets.read_rows", may_read_rows)
# of a revision
rules.add_perm("golden_sets.run", is_model_owner)
