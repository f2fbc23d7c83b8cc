"""Downstream services that a person is an admin of."""

from __future__ import annotations

from django.urls import reverse

from mop.accounts.belongings import Belongings
from mop.accounts.models import User
from mop.audit.services import Actor
from mop.releases.models import Policy, Service
from mop.releases.services import change_service


def services_of(user: User) -> Belongings:
    """The services whose releases a person decides about."""
    services = Service.objects.filter(admins=user).order_by("name")
    things = [(one.name, reverse("releases:service", args=[one.name])) for one in services]
    return Belongings("Downstream services", things, _hand_over)


def _hand_over(actor: Actor, user: User, to: User) -> int:
    services = list(Service.objects.filter(admins=user).order_by("pk"))
    for service in services:
        admins = {person.pk: person for person in service.admins.all()}
        del admins[user.pk]
        admins[to.pk] = to
        change_service(
            actor=actor,
            service=service,
            description=service.description,
            contact=service.contact,
            policy=Policy(service.policy),
            admins=list(admins.values()),
        )
    return len(services)
