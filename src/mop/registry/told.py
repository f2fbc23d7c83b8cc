"""What people are told of a version that failed: the words of the model's code, if they may read its logs."""

from __future__ import annotations

from dataclasses import replace

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.errors import outline
from mop.registry.models import Revision
from mop.registry.selectors import TimelineEntry, timeline
from mop.registry.statuses import RevisionStatus

_ENDED_BADLY = frozenset({RevisionStatus.VERIFY_FAILED, RevisionStatus.VULNERABLE, RevisionStatus.TO_BE_RETRIED})


def tell_revision(user: User, revision: Revision) -> Revision:
    """The version, which is not to be saved any more, with as much of its error as the person may read."""
    if revision.error and not may(user, "registry.view_logs", revision):
        revision.error = outline(revision.error)
    return revision


def told_timeline(user: User, revision: Revision) -> list[TimelineEntry]:
    """The version's timeline; of earlier attempts too it tells why they failed."""
    entries = timeline(revision)
    if may(user, "registry.view_logs", revision):
        return entries
    return [replace(entry, detail="") if entry.status in _ENDED_BADLY else entry for entry in entries]
