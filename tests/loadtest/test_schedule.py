from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.loadtest.plan import Arrivals
from mop.loadtest.schedule import NS, Stream, arrivals

KINDS = (Arrivals.UNIFORM, Arrivals.POISSON)


@settings(max_examples=50)
@given(rate=st.integers(1, 500), seconds=st.integers(1, 8), seed=st.integers(0, 2**63 - 1))
def test_every_second_has_exactly_the_target(rate: int, seconds: int, seed: int):
    starts = np.array(arrivals(rate, seconds, seed=seed))
    assert np.bincount(starts // NS, minlength=seconds).tolist() == [rate] * seconds
    assert (np.diff(starts) >= 0).all()


def test_the_instants_of_a_seed_are_known_to_the_nanosecond():
    assert arrivals(3, 2, seed=7).tolist() == UNIFORM_OF_7
    assert arrivals(3, 2, seed=7, kind=Arrivals.POISSON).tolist() == POISSON_OF_7


UNIFORM_OF_7 = [231970433, 884567237, 975033553, 1405342545, 1731262426, 1804478466]
POISSON_OF_7 = [1884567237, 1975033553]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [2, 2.5, 0.25])
def test_a_shorter_step_is_a_longer_one_cut_off(kind: Arrivals, seconds: float):
    long = arrivals(50, 5, seed=3, kind=kind)
    assert arrivals(50, seconds, seed=3, kind=kind).tolist() == [start for start in long if start < seconds * NS]


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_rates_and_streams_have_instants_of_their_own(kind: Arrivals):
    same = [arrivals(100, 1, seed=1, kind=kind) for _ in range(2)]
    others = [
        arrivals(100, 1, seed=2, kind=kind),
        arrivals(100, 1, seed=1, kind=kind, stream=Stream.WARM_UP),
        arrivals(101, 1, seed=1, kind=kind),
    ]
    assert same[0] == same[1]
    assert all(not set(same[0]) & set(other) for other in others)


def test_instants_are_uniform_within_the_second(stats: ModuleType):
    within = np.array(arrivals(1000, 100, seed=5)) % NS / NS
    assert stats.kstest(within, "uniform").pvalue > 0.001


@pytest.mark.parametrize("rate", [1, 40, 2000])
def test_poisson_has_the_numbers_and_the_gaps_of_a_poisson_process(rate: int, stats: ModuleType):
    seconds = 200_000 // rate if rate < 2000 else 400
    seconds = min(seconds, 20_000)
    starts = np.array(arrivals(rate, seconds, seed=11, kind=Arrivals.POISSON))
    counts = np.bincount(starts // NS, minlength=seconds)
    # mean and variance are the rate; five standard errors
    assert abs(counts.mean() - rate) < 5 * (rate / seconds) ** 0.5
    assert abs(counts.var() / rate - 1) < 5 * (2 / seconds) ** 0.5 + 5 / (rate * seconds) ** 0.5
    gaps = np.diff(starts)[:20_000] / NS
    assert stats.kstest(gaps, "expon", args=(0, 1 / rate)).pvalue > 0.001


def test_no_seconds_have_no_requests():
    assert len(arrivals(10, 0, seed=1)) == 0
