"""Work that a cause outside it stopped is tried again: after a pause that doubles, at most so often in a day.

Faults of the platform do not count: they are the operator's to fix, and the work goes on when they are.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from mop.errors import OutsideFault, PlatformFault

RETRY_WINDOW = dt.timedelta(hours=24)
BACKOFF_FACTOR = 2.0
BACKOFF_MAX_SECONDS = 6 * 3600.0


def pause_after(tries: int) -> dt.timedelta:
    """How long to wait after so many tries; none before this one makes the shortest pause."""
    seconds = settings.MOP_RETRY_BASE * BACKOFF_FACTOR ** min(tries, 20)
    return dt.timedelta(seconds=min(seconds, BACKOFF_MAX_SECONDS))


def is_last_try(error: OutsideFault, counted: int) -> bool:
    """Whether work that failed `counted` times within the window before is not tried again."""
    return not isinstance(error, PlatformFault) and counted >= settings.MOP_RETRY_MAX
