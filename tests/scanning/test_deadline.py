"""Work that cannot be asked to stop ends by a timer, and a timer that was there before goes on."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
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
    handler = signal.getsignal(signal.SIGPROF)
    with deadline(60):
        assert signal.getsignal(signal.SIGPROF) != handler
    assert signal.getsignal(signal.SIGPROF) == handler


def test_time_in_which_others_have_the_processor_does_not_count():
    with deadline(0.05):
        time.sleep(0.2)


def test_code_that_no_timer_interrupts_ends_with_its_process():
    code = "from mop.scanning.deadline import end_this_process_after as end; end(0.1); 3**(10**8) % 7"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGXCPU


def test_a_timer_of_others_goes_on():
    handler = signal.signal(signal.SIGPROF, lambda *_: None)
    before = signal.setitimer(signal.ITIMER_PROF, 500)
    try:
        with deadline(60):
            pass
        assert 0 < signal.getitimer(signal.ITIMER_PROF)[0] <= 501  # by whole ticks of the kernel
    finally:
        signal.signal(signal.SIGPROF, handler)
        signal.setitimer(signal.ITIMER_PROF, *before)
