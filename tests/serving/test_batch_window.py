from __future__ import annotations

import pytest

from mop.serving.batch_window import BatchWindow
from mop.serving.config import BatchPolicy

POLICY = BatchPolicy(max_size=12, idle_size=3, max_interval_s=0.002)


def test_a_full_batch_leaves_at_once():
    assert BatchWindow(POLICY).delay(10, waiting=12, first=10, receiving=5) == 0


def test_the_idle_size_is_enough_for_a_free_process():
    assert BatchWindow(POLICY).delay(10, waiting=3, first=10, receiving=5) == 0


def test_nothing_on_its_way_is_not_waited_for():
    assert BatchWindow(POLICY).delay(10, waiting=1, first=10, receiving=0) == 0


def test_the_interval_counts_from_the_first_item_not_from_the_last_run():
    window = BatchWindow(POLICY)
    window.answered(1, 4, 0.0005)
    assert window.delay(10, waiting=2, first=10, receiving=1) == pytest.approx(0.002)
    assert window.delay(10.0015, waiting=2, first=10, receiving=1) == pytest.approx(0.0005)
    assert window.delay(10.002, waiting=2, first=10, receiving=1) == 0


def returning_callers(duration: float) -> tuple[BatchWindow, float]:
    """A window that has seen every answered caller come back; and the time after its last answers."""
    window, now = BatchWindow(POLICY), 1.0
    for _ in range(50):
        window.answered(now, 4, duration)
        window.arrived(now + 0.0005, 4)
        now += duration + 0.001
    window.answered(now, 4, duration)
    return window, now


def test_callers_that_always_come_back_are_waited_for_half_a_batch_at_most():
    window, now = returning_callers(0.003)
    assert window.delay(now, waiting=4, first=now - 0.003, receiving=0) == pytest.approx(0.0015, rel=0.01)
    window.arrived(now, 4)
    assert window.delay(now, waiting=8, first=now - 0.003, receiving=0) == 0


def test_callers_that_do_not_come_back_are_not_waited_for():
    window, now = BatchWindow(POLICY), 1.0
    for _ in range(50):
        window.answered(now, 4, 0.005)
        now += 0.1
    assert window.delay(now, waiting=4, first=now, receiving=0) == 0


def test_a_fast_model_never_waits_for_callers():
    window, now = returning_callers(0.0005)
    assert window.delay(now, waiting=1, first=now, receiving=0) == 0
