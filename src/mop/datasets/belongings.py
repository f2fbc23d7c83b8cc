"""Datasets that a person owns."""

from __future__ import annotations

from django.db import transaction

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.datasets.actions import Action
from mop.datasets.models import Dataset


def datasets_of(user: User) -> Belongings:
    """The datasets that a person owns."""
    names = Dataset.objects.filter(owners=user).order_by("name").values_list("name", flat=True)
    return Belongings("Evaluation datasets", [(name, f"/datasets/{name}/") for name in names], _hand_over)


@transaction.atomic
def _hand_over(actor: Actor, user: User, to: User) -> int:
    datasets = list(Dataset.objects.filter(owners=user))
    for dataset in datasets:
        dataset.owners.add(to)
        dataset.owners.remove(user)
        record(
            actor=actor,
            action=Action.DATASET_HANDED_OVER,
            object_type="dataset",
            object_id=dataset.pk,
            object_label=dataset.name,
            data={"from": user.username, "to": to.username},
        )
    return len(datasets)
