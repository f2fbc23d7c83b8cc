"""Who owns a dataset: changed by its owners, and by administrators who reassign what a leaver owned."""

from __future__ import annotations

from mop.accounts.models import User
from mop.accounts.owners import Ownership
from mop.audit.services import Actor
from mop.datasets.actions import Action
from mop.datasets.models import Dataset
from mop.datasets.notices import notify_owners_changed

OWNERSHIP = Ownership("dataset", Action.DATASET_OWNER_ADDED, Action.DATASET_OWNER_REMOVED, notify_owners_changed)


def add_owner(*, actor: Actor, dataset: Dataset, user: User) -> None:
    """Make a user an owner of a dataset; does nothing if they are one."""
    OWNERSHIP.add(actor=actor, thing=dataset, user=user)


def remove_owner(*, actor: Actor, dataset: Dataset, user: User) -> None:
    """Take a user off a dataset's owners; does nothing if they are none.

    Raises:
        ConflictError: they are the last owner.
    """
    OWNERSHIP.remove(actor=actor, thing=dataset, user=user)
