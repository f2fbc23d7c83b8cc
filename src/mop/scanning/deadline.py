"""An end to work on hostile input that cannot be asked to stop: regular expressions, parsers, other people's code."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_SECONDS = 1.0  # far longer than leaving the block takes: one that came just then would be raised outside it
_LEAST_SECONDS = 0.001


class DeadlineError(BaseException):
    """The time is over. No `except Exception` of the work itself takes it for one of its own."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise DeadlineError in the block after so many seconds, and each second again, should something catch it.

    Python itself swallows what is raised while it collects garbage or runs a finalizer; a block that ends although its
    time was over is too late all the same. Only in the main thread. A timer that somebody else has set goes on after
    the block.
    """
    is_over = is_left = False

    def over(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_over
        is_over = True
        if not is_left:
            raise DeadlineError

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, over)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        is_left = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            passed = time.monotonic() - began
            signal.setitimer(signal.ITIMER_REAL, max(left - passed, _LEAST_SECONDS), interval)
    if is_over:
        raise DeadlineError
