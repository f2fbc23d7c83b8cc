"""Work that cannot be asked to stop ends by a timer, and a timer that was there before goes on."""

from __future__ import annotations

import re
import signal
from contextlib import suppress

import pytest

from mop.scanning.deadline import DeadlineError, deadline


def test_an_endless_pattern_ends():
    with pytest.raises(DeadlineError), deadline(0.05):
        re.match(r"(a|a)*$", "a" * 64 + "b")


def test_work_that_catches_everything_ends_all_the_same():
    with pytest.raises(DeadlineError), deadline(0.05):
        _never_give_up()


def _never_give_up() -> None:
    while True:
        with suppress(Exception):
            re.match(r"(a|a)*$", "a" * 64 + "b")


def test_work_that_swallows_the_end_is_too_late_all_the_same():
    with pytest.raises(DeadlineError), deadline(0.05):
        _swallow_once()


def _swallow_once() -> None:
    with suppress(BaseException):
        while True:
            re.match(r"(a|a)*$", "a" * 64 + "b")


def test_work_in_time_is_left_alone_and_nothing_stays():
    handler = signal.getsignal(signal.SIGALRM)
    with deadline(60):
        assert signal.getsignal(signal.SIGALRM) != handler
    assert signal.getsignal(signal.SIGALRM) == handler


def test_a_timer_of_others_goes_on():
    handler = signal.signal(signal.SIGALRM, lambda *_: None)
    before = signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        with deadline(60):
            pass
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 500
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *before)
