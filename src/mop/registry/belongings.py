"""Models and groups that a person owns."""

from __future__ import annotations

import itertools
from collections.abc import Collection

from django.db import transaction

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.registry.actions import Action
from mop.registry.group_models import GROUP_NAME_MAX, ModelGroup
from mop.registry.models import Model
from mop.registry.services import add_owner, remove_owner

_ENDING_MAX = 60  # of a group's name that is told apart by its former owner, whose name may have 150 characters


def models_of(user: User) -> Belongings:
    """The models that a person owns."""
    names = Model.objects.filter(owners=user).order_by("name").values_list("name", flat=True)
    return Belongings("Models", [(name, f"/models/{name}/") for name in names], _hand_over_models)


def groups_of(user: User) -> Belongings:
    """The groups that a person made and shares; others' lists lose them otherwise."""
    groups = ModelGroup.objects.filter(owner=user, shares__isnull=False).distinct().order_by("name")
    return Belongings("Shared groups", [(group.name, "/models/") for group in groups], _hand_over_groups)


@transaction.atomic
def _hand_over_models(actor: Actor, user: User, to: User) -> int:
    models = list(Model.objects.filter(owners=user))
    for model in models:
        add_owner(actor=actor, model=model, user=to)
        remove_owner(actor=actor, model=model, user=user)
    return len(models)


@transaction.atomic
def _hand_over_groups(actor: Actor, user: User, to: User) -> int:
    taken = set(ModelGroup.objects.filter(owner=to).values_list("name", flat=True))
    groups = list(ModelGroup.objects.filter(owner=user, shares__isnull=False).distinct().order_by("name"))
    for group in groups:
        group.owner = to
        group.name = _free_name(group.name, user, taken)
        taken.add(group.name)
        group.save(update_fields=["owner", "name"])
        # it was shown to them, or taken out of their list, as somebody else's
        group.shares.filter(user=to).delete()
        group.hidden.filter(user=to).delete()
        record(
            actor=actor,
            action=Action.GROUP_HANDED_OVER,
            object_type="group",
            object_id=group.pk,
            object_label=group.name,
            data={"to": to.username},
        )
    return len(groups)


def _free_name(name: str, former: User, taken: Collection[str]) -> str:
    """The name that a group has from now on: its own, with the former owner's and a number where others have it."""
    endings = itertools.chain(("", f" of {former.username}"[:_ENDING_MAX]), (f" ({n})" for n in itertools.count(2)))
    return next(
        free for ending in endings if (free := name[: GROUP_NAME_MAX - len(ending)].rstrip() + ending) not in taken
    )
