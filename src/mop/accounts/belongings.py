"""What a person is responsible for, as areas above say it, and handing it over to somebody else.

An area lists functions in `Area.belongings`; each is given a user and gives one `Belongings`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from mop.accounts.actions import Action
from mop.accounts.models import User
from mop.areas.registry import registered
from mop.audit.services import Actor, record
from mop.errors import ValidationFailedError


@dataclass(frozen=True)
class Belongings:
    """Things of one kind that a person owns.

    Attributes:
        label: the kind, in the plural.
        things: their names and where their pages are.
        hand_over: makes another person the owner in the first one's place; gives how many things that were.
    """

    label: str
    things: Sequence[tuple[str, str]]
    hand_over: Callable[[Actor, User, User], int]


def belongings_of(user: User) -> list[Belongings]:
    """What the person owns, in the order of the areas; kinds of which they own nothing are left out."""
    found = [one.load()(user) for area in registered() for one in area.belongings]
    return [one for one in found if one.things]


@transaction.atomic
def hand_over(*, actor: Actor, user: User, to: User) -> int:
    """Make another person the owner of all that a person owns; gives how many things that were.

    Raises:
        ValidationFailedError: it is the same person, or one who may not sign in.
    """
    if user.pk == to.pk or not to.is_active:
        message = "Choose somebody else, who may sign in."
        raise ValidationFailedError(f"username: {message}", fields={"username": [message]})
    number = sum(one.hand_over(actor, user, to) for one in belongings_of(user))
    record(
        actor=actor,
        action=Action.USER_REASSIGNED,
        object_type="user",
        object_id=user.pk,
        object_label=user.username,
        data={"to": to.username, "things": number},
    )
    return number
