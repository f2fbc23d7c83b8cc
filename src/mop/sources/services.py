"""Writes to source prefixes."""

from __future__ import annotations

from django.db import transaction

from mop.accounts.models import Team, User
from mop.accounts.validation import save_checked
from mop.audit.services import Actor, record
from mop.errors import MopError, ValidationFailedError
from mop.sources.actions import Action
from mop.sources.configured import EVERYTHING
from mop.sources.models import SourcePrefix
from mop.sources.purposes import Purpose
from mop.sources.storage_settings import storage_config
from mop.storage.urls import parse_prefix


@transaction.atomic
def add_prefix(*, actor: Actor, user: User, team: Team | None, purpose: Purpose, prefix: str) -> SourcePrefix:
    """Let a team read below a url for a purpose. From then on the places of that purpose belong to those named alone.

    Args:
        actor: who is recorded.
        user: who adds it.
        team: the team; None for every team.
        purpose: what it may read there.
        prefix: a url below a configured root or account, or `*` for all of them.

    Raises:
        ValidationFailedError: the url is none, or not below a configured root or account, or the team has it already.
    """
    prefix = prefix.strip().rstrip("/")
    if prefix and prefix != EVERYTHING:
        try:
            parse_prefix(prefix, storage_config())
        except MopError as error:
            message = f"{error.message} {error.hint}".strip().replace("model url", "prefix")
            raise ValidationFailedError(f"prefix: {message}", fields={"prefix": [message]}) from error
    row = SourcePrefix(team=team, purpose=purpose, prefix=prefix, created_by=user)
    save_checked(row)
    _record(actor, Action.PREFIX_ADDED, row)
    return row


@transaction.atomic
def remove_prefix(*, actor: Actor, prefix: SourcePrefix) -> None:
    """Take a prefix from its team. Snapshots that were taken stay; new versions and retries without one are refused."""
    _record(actor, Action.PREFIX_REMOVED, prefix)
    prefix.delete()


def _record(actor: Actor, action: Action, row: SourcePrefix) -> None:
    record(
        actor=actor,
        action=action,
        object_type="source_prefix",
        object_id=row.pk,
        object_label=row.prefix,
        data={"team": row.team.name if row.team else EVERYTHING, "purpose": row.purpose},
    )
