"""Downstream services that a person is an admin of."""

from __future__ import annotations

from django.urls import reverse

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor
from mop.releases.models import Service
from mop.releases.services import replace_admin


def services_of(user: User) -> Belongings:
    """The services whose releases a person decides about."""
    services = Service.objects.filter(admins=user).order_by("name")
    things = [(one.name, reverse("releases:service", args=[one.name])) for one in services]
    return Belongings("Downstream services", things, _hand_over)


def _hand_over(actor: Actor, user: User, to: User) -> int:
    services = list(Service.objects.filter(admins=user).order_by("pk"))
    for service in services:
        replace_admin(actor=actor, service=service, user=user, to=to)
    return len(services)
