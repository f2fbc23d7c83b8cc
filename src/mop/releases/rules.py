"""Who may do what with services, gates and releases. Everybody signed in sees services: who offers a model needs to."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import is_administrator, is_signed_in, may
from mop.catalog.rules import is_task_owner
from mop.registry.rules import is_model_owner
from mop.releases.models import Service
from mop.releases.release_models import Release
from mop.releases.release_states import ReleaseState


@rules.predicate
def is_service_admin(user: User | AnonymousUser, service: Service | None) -> bool:
    """The user is an admin of the service."""
    return service is not None and user.is_authenticated and any(one.pk == user.pk for one in service.admins.all())


rules.add_perm("releases.view", is_signed_in)
rules.add_perm("releases.create_service", is_administrator)
# a bundle holds the model itself and every finding
rules.add_perm("releases.take_bundle", is_service_admin | is_administrator)
rules.add_perm("releases.make_version_bundle", is_administrator)
rules.add_perm("releases.change_service", is_service_admin | is_administrator)
rules.add_perm("releases.change_task_gate", is_task_owner)
rules.add_perm("releases.change_service_gate", is_service_admin)


@rules.predicate
def is_admin_of_release(user: User | AnonymousUser, release: Release | None) -> bool:
    """The user is an admin of the service that a release is for."""
    return release is not None and bool(is_service_admin(user, release.service))


@rules.predicate
def may_take_back(user: User | AnonymousUser, release: Release | None) -> bool:
    """The user requested the release or owns its model, or, once it is approved, is an admin of the service."""
    if release is None or not user.is_authenticated:
        return False
    if release.requested_by_id == user.pk or bool(is_model_owner(user, release.revision)):
        return True
    return release.state != ReleaseState.REQUESTED and bool(is_admin_of_release(user, release))


@rules.predicate
def sees_how_it_stands(user: User | AnonymousUser, release: Release | None) -> bool:
    """The user sees the version, or is an admin of the service that it is offered to or held by.

    A version may be private again, and a person who saw it no owner any more.
    """
    if release is None or release.revision is None:
        return False
    decides = not release.get_state().is_final and bool(is_admin_of_release(user, release))
    return decides or may(user, "registry.view_revision", release.revision)


rules.add_perm("releases.see_how_it_stands", sees_how_it_stands)
rules.add_perm("releases.request", is_model_owner)
rules.add_perm("releases.decide", is_admin_of_release)
rules.add_perm("releases.withdraw", may_take_back)
rules.add_perm("releases.manage_tokens", is_service_admin)
