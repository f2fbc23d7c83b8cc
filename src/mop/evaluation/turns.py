"""Whose turn it is on the queues of evaluations."""

from __future__ import annotations

import datetime as dt

from mop.registry.models import Revision
from mop.registry.statuses import PublishStatus

_PRIVATE_BEHIND = 500_000_000  # minutes; more than there will be
_NEWEST_FIRST_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def priority_of(revision: Revision) -> int:
    """Public revisions first, then the newest; lower goes first."""
    age = int((revision.created_at - _NEWEST_FIRST_FROM).total_seconds() // 60)
    group = 1 if revision.publish_status == PublishStatus.PUBLIC else 2
    return max(1, group * _PRIVATE_BEHIND - age)
