from __future__ import annotations

from dataclasses import replace

import pytest

from mop.loadtest.trust import SelfCheck, doubts

MS = 1_000_000
FINE = SelfCheck(lag_ns=(MS, 5 * MS), latency_ns=(10 * MS, 50 * MS), cpu=0.9, achieved=0.99, own_failures=0)


def test_a_step_at_its_limits_is_trusted():
    assert doubts(FINE) == ()


@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ({"lag_ns": (MS + 1, 5 * MS)}, "lag: the generator was late by 1.00 ms (P50)"),
        ({"lag_ns": (MS, 5 * MS + 1)}, "lag: the generator was late by 5.00 ms (P99)"),
        ({"cpu": 0.91}, "cpu: the generator took 91%"),
        ({"achieved": 0.989}, "rate: 98.9%"),
        ({"own_failures": 1}, "own: 1 requests"),
    ],
)
def test_beyond_a_limit_it_is_not_and_says_why(change: dict[str, object], begins: str):
    (doubt,) = doubts(replace(FINE, **change))
    assert doubt.startswith(begins)


def test_a_lag_under_a_tenth_of_a_millisecond_is_never_held_against_a_step():
    assert doubts(replace(FINE, lag_ns=(100_000, 100_000), latency_ns=(1, 1))) == ()


def test_a_step_without_success_or_schedule_is_judged_by_the_rest():
    assert doubts(replace(FINE, lag_ns=(MS, MS), latency_ns=None, achieved=None)) == ()
    assert len(doubts(replace(FINE, latency_ns=None, achieved=None, cpu=1.0))) == 1
