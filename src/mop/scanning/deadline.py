"""An end to work on hostile input that cannot be asked to stop: regular expressions, parsers, other people's code.

Processor time counts, not the clock's: how busy a machine is says nothing of a file.
"""

from __future__ import annotations

import resource
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
    """Raise DeadlineError in the block after so many seconds of this process's time, and each second again.

    Something in the block may catch it, and Python itself swallows what is raised while it collects garbage or runs a
    finalizer; a block that ends although its time was over is too late all the same. Only in the main thread. A timer
    that somebody else has set goes on after the block.
    """
    is_over = is_left = False

    def over(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_over
        is_over = True
        if not is_left:
            raise DeadlineError

    began = time.process_time()
    handler = signal.signal(signal.SIGPROF, over)
    left, interval = signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        is_left = True
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        if left:
            passed = time.process_time() - began
            signal.setitimer(signal.ITIMER_PROF, max(left - passed, _LEAST_SECONDS), interval)
    if is_over:
        raise DeadlineError


def end_this_process_after(seconds: float) -> None:
    """The kernel ends this process after so many more seconds of its time; a later call takes the place of this one.

    For code that no timer interrupts, such as a decompressor's.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
