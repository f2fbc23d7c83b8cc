"""What is recorded of second factors, and taking them away from somebody who lost them."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest

from mop.accounts.actions import Action
from mop.accounts.addresses import client_address
from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.services import Actor, record


def record_second_factor(
    request: HttpRequest | None = None, user: User | None = None, authenticator: Any = None, **_arguments: object
) -> None:
    """Note that a factor came or went; receives allauth's signals."""
    if user is None:
        return
    kind = Authenticator.Type(authenticator.type).label if authenticator else "unknown"
    _record(actor_of(user, client_address(request) if request else ""), user, str(kind))


@transaction.atomic
def remove_second_factors(*, actor: Actor, user: User) -> int:
    """Take all second factors from a person, who lost them; gives how many. They sign in with the password again."""
    deleted: tuple[int, dict[str, int]] = Authenticator.objects.filter(user=user).delete()
    number = deleted[0]
    if number:
        _record(actor, user, "all, by an administrator")
    return number


def _record(actor: Actor, user: User, what: str) -> None:
    record(
        actor=actor,
        action=Action.USER_SECOND_FACTOR_CHANGED,
        object_type="user",
        object_id=user.pk,
        object_label=user.username,
        data={"factor": what},
    )
