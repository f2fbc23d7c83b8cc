"""When a canary ends by itself."""

from __future__ import annotations

import pytest

from mop.gateway.canary import ANSWERS_MIN, FAILURES_MIN, WINDOW_SECONDS, CanaryGate, CanaryLimits

LIMITS = CanaryLimits(errors=1.0, latency=1.5)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> CanaryGate:
    return CanaryGate(LIMITS, clock)


def verdicts(
    gate: CanaryGate, count: int, *, is_canary: bool, seconds: float = 0.01, failed: bool = False
) -> list[str]:
    return [gate.observe(is_canary=is_canary, seconds=seconds, failed=failed) for _ in range(count)]


def test_some_failures_end_it_at_once_and_the_reason_gives_numbers(gate: CanaryGate):
    verdicts(gate, 100, is_canary=False)
    *before, last = verdicts(gate, FAILURES_MIN, is_canary=True, failed=True)
    assert not any(before)
    assert last.startswith("5 of its last 5 answers failed (100.0%; 0.0% of those of what is live)")


def test_failures_that_what_is_live_has_as_well_do_not_end_it(gate: CanaryGate):
    for number in range(300):
        failed = number % 3 == 0
        gate.observe(is_canary=False, seconds=0.01, failed=failed)
        assert gate.observe(is_canary=True, seconds=0.01, failed=failed) == ""


def test_few_failures_among_many_answers_do_not_end_it(gate: CanaryGate):
    verdicts(gate, 2000, is_canary=True)
    assert not any(verdicts(gate, 20, is_canary=True, failed=True))


def test_a_latency_over_the_limit_ends_it_when_both_sides_are_known(gate: CanaryGate):
    assert not any(verdicts(gate, 200, is_canary=True, seconds=0.05))
    assert not any(verdicts(gate, ANSWERS_MIN, is_canary=False, seconds=0.02))
    found = [one for one in verdicts(gate, 20, is_canary=True, seconds=0.05) if one]
    assert found == ["its P95 latency is 50.0 ms, that of what is live 20.0 ms; 1.5 times that is allowed"]


def test_a_latency_that_is_a_little_longer_in_milliseconds_does_not_end_it(gate: CanaryGate):
    verdicts(gate, 200, is_canary=False, seconds=0.001)
    assert not any(verdicts(gate, 200, is_canary=True, seconds=0.004))


def test_failures_of_long_ago_are_forgotten(gate: CanaryGate, clock: Clock):
    verdicts(gate, FAILURES_MIN - 1, is_canary=True, failed=True)
    clock.now += WINDOW_SECONDS + 1
    assert not any(verdicts(gate, FAILURES_MIN - 1, is_canary=True, failed=True))
