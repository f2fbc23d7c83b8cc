"""Who may do what with datasets. Everybody signed in sees their metadata; nobody sees their rows."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import is_administrator, is_member, is_signed_in
from mop.catalog.rules import is_task_owner
from mop.datasets.models import Dataset


@rules.predicate
def is_dataset_owner(user: User | AnonymousUser, dataset: Dataset | None) -> bool:
    """The user owns the dataset."""
    if dataset is None or not user.is_authenticated:
        return False
    return any(owner.pk == user.pk for owner in dataset.owners.all())  # no query where they were read with it


@rules.predicate
def is_of_its_team(user: User | AnonymousUser, dataset: Dataset | None) -> bool:
    """The user is of the team whose source prefix lets MOP read the file, and so may know what lies below it."""
    return dataset is not None and is_member(user, dataset.file.team)


rules.add_perm("datasets.view", is_signed_in)
rules.add_perm("datasets.create", is_signed_in)
rules.add_perm("datasets.change", is_dataset_owner)
# administrators reassign what a leaver owned
rules.add_perm("datasets.change_owners", is_dataset_owner | is_administrator)
# where a fault is tells something about the rows, and of labels more with each set of them that is tried
sees_places = is_dataset_owner & is_of_its_team
rules.add_perm("datasets.view_places", sees_places)
rules.add_perm("datasets.view_requests", is_task_owner | is_administrator)
rules.add_perm("datasets.decide", is_task_owner)
# how many rows two datasets share tells who knows one of them something about the other
rules.add_perm("datasets.view_shared", is_task_owner)
