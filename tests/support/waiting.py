"""The one way in which tests wait for another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
POLL_SECONDS = 0.05


def wait_for(
    check: Callable[[], _T], *, seconds: float, what: str, note: Callable[[], str] = str, every: float = POLL_SECONDS
) -> _T:
    """What `check` gives as soon as it is true.

    Args:
        check: asked every moment.
        seconds: how long.
        what: is waited for, for the message.
        note: tells more when it did not come.
        every: seconds between two checks.

    Raises:
        AssertionError: it stayed false.
    """
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s\n{note()}")
        time.sleep(every)
    return found
