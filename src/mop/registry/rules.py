"""Who may see and change models. What one may not see answers 404, so selectors come first; these answer 403."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import is_administrator, is_signed_in
from mop.registry.group_models import ModelGroup
from mop.registry.models import Model, Revision
from mop.registry.statuses import PublishStatus


@rules.predicate
def is_model_owner(user: User | AnonymousUser, thing: Model | Revision | None) -> bool:
    """The user owns the model (of the revision)."""
    if thing is None or not user.is_authenticated:
        return False
    return (thing.model if isinstance(thing, Revision) else thing).is_owned_by(user)


@rules.predicate
def is_public(_user: User | AnonymousUser, thing: Model | Revision | None) -> bool:
    """The revision is public, or the model has a public revision."""
    if isinstance(thing, Revision):
        return thing.publish_status == PublishStatus.PUBLIC
    return thing is not None and thing.is_public


@rules.predicate
def is_group_owner(user: User | AnonymousUser, group: ModelGroup | None) -> bool:
    """The user made the group."""
    return group is not None and group.owner_id == user.pk


sees = is_model_owner | is_administrator | (is_signed_in & is_public)

rules.add_perm("registry.create_model", is_signed_in)
rules.add_perm("registry.view_model", sees)
rules.add_perm("registry.view_revision", sees)
rules.add_perm("registry.change_model", is_model_owner)
rules.add_perm("registry.delete_model", is_model_owner)
rules.add_perm("registry.create_revision", is_model_owner)
rules.add_perm("registry.change_revision", is_model_owner)
rules.add_perm("registry.delete_revision", is_model_owner)
rules.add_perm("registry.publish_revision", is_model_owner)
# administrators reassign what a leaver owned
rules.add_perm("registry.change_owners", is_model_owner | is_administrator)
# what a model may tell other hosts is the installation's affair
rules.add_perm("registry.change_allowed_hosts", is_administrator)
rules.add_perm("registry.view_allowed_hosts", is_model_owner | is_administrator)
rules.add_perm("registry.create_group", is_signed_in)
rules.add_perm("registry.change_group", is_group_owner)
# logs show paths and values of the model's code
rules.add_perm("registry.view_logs", is_model_owner | is_administrator)
