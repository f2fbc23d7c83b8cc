"""Forgetting work that ended.

The engine keeps what every step was given and gave, so that work goes on after a crash. Of work that ended nobody reads
it: MOP's own rows say how it ended. It would grow with every version, and outlive the versions that are deleted.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone

from mop.engine.client import engine

AT_ONCE = 200
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


def forget_ended() -> int:
    """Remove the engine's record of work that ended MOP_ENGINE_DAYS ago, a few pieces in each transaction.

    Returns:
        How many pieces of work it was.
    """
    if not settings.MOP_ENGINE_DAYS:
        return 0
    before = (timezone.now() - dt.timedelta(days=settings.MOP_ENGINE_DAYS)).isoformat()
    count = 0
    while ids := [
        work.workflow_id
        for work in engine().list_workflows(
            status=ENDED, completed_before=before, limit=AT_ONCE, load_input=False, load_output=False
        )
    ]:
        engine().delete_workflows(ids)
        count += len(ids)
    return count
