"""The one way in which tests wait for another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
POLL_SECONDS = 0.05
# a check may ask a portal or look through all processes: the time is for what is waited for, not for the waiting
PAUSE_OVER_CHECK = 4
PAUSE_SECONDS_MAX = 0.5


def wait_for(
    check: Callable[[], _T], *, seconds: float, what: str, note: Callable[[], str] = str, every: float = POLL_SECONDS
) -> _T:
    """What `check` gives as soon as it is true.

    Args:
        check: asked every moment.
        seconds: how long.
        what: is waited for, for the message.
        note: tells more when it did not come.
        every: seconds between two checks; a check that takes long is made less often.

    Raises:
        AssertionError: it stayed false.
    """
    begun = time.monotonic()
    deadline = begun + seconds
    while not (found := check()):
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s\n{note()}")
        time.sleep(max(every, min(PAUSE_OVER_CHECK * (now - begun), PAUSE_SECONDS_MAX)))
        begun = time.monotonic()
    return found
