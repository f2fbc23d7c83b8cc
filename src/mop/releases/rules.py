"""Who may do what with services and gates. Everybody signed in sees them: whoever offers a model needs to know."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import is_administrator, is_signed_in
from mop.catalog.rules import is_task_owner
from mop.releases.models import Service


@rules.predicate
def is_service_admin(user: User | AnonymousUser, service: Service | None) -> bool:
    """The user is an admin of the service."""
    return service is not None and user.is_authenticated and any(one.pk == user.pk for one in service.admins.all())


rules.add_perm("releases.view", is_signed_in)
rules.add_perm("releases.create_service", is_administrator)
rules.add_perm("releases.change_service", is_service_admin | is_administrator)
rules.add_perm("releases.change_task_gate", is_task_owner)
rules.add_perm("releases.change_service_gate", is_service_admin)
