from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.loadtest.statistics import PERCENTILES, _binomial, _ranks, interval, percentile, precise, stalled_share

latencies = st.lists(st.integers(0, 10**12), min_size=1, max_size=300)


@given(latencies, st.integers(1, 100))
def test_a_percentile_is_numpys_inverted_distribution(values: list[int], percent: int):
    ordered = np.sort(np.array(values, dtype=np.int64))
    # numpy takes the rank of a product of doubles; where that is not whole, both must agree
    exact = len(values) * percent / 100
    if abs(exact - round(exact)) > 1e-9:
        assert percentile(ordered, percent) == np.percentile(ordered, percent, method="inverted_cdf")
    found = percentile(ordered, percent)
    assert 100 * np.count_nonzero(ordered <= found) >= percent * len(values)
    assert 100 * np.count_nonzero(ordered < found) < percent * len(values)


def test_percentiles_of_one_to_a_hundred_are_themselves():
    ordered = np.arange(1, 101)
    assert [percentile(ordered, percent) for percent in (1, 50, 90, 95, 99, 100)] == [1, 50, 90, 95, 99, 100]


def test_no_values_have_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile(np.array([], dtype=np.int64), 50)


@pytest.mark.parametrize("count", [1, 7, 60, 1000, 200_000])
@pytest.mark.parametrize("percent", PERCENTILES)
def test_the_binomial_distribution_is_scipys(count: int, percent: int, stats: ModuleType):
    reference = stats.binom.pmf(np.arange(count + 1), count, percent / 100)
    assert np.allclose(_binomial(count, percent / 100), reference, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("count", [59, 300, 2999, 50_000])
@pytest.mark.parametrize("percent", PERCENTILES)
def test_ranks_enclose_the_percentile_with_at_least_the_confidence_and_no_narrower_ones_do(
    count: int, percent: int, stats: ModuleType
):
    ranks = _ranks(count, percent)
    chance = percent / 100
    if ranks is None:
        assert stats.binom.cdf(0, count, chance) > 0.025 or stats.binom.cdf(count - 1, count, chance) < 0.975
        return
    low, high = ranks
    assert stats.binom.cdf(low - 1, count, chance) <= 0.025 < stats.binom.cdf(low, count, chance)
    assert stats.binom.cdf(high - 1, count, chance) >= 0.975 > stats.binom.cdf(high - 2, count, chance)


def test_intervals_of_independent_latencies_hold_the_true_percentile():
    random = np.random.Generator(np.random.PCG64(4))
    held = dict.fromkeys(PERCENTILES, 0)
    for _ in range(200):
        values = (random.exponential(1e7, 4000)).astype(np.int64)
        for percent in PERCENTILES:
            found = interval(np.sort(values), values, percent)
            assert found is not None
            held[percent] += found[0] <= -1e7 * np.log(1 - percent / 100) <= found[1]
    assert all(count >= 188 for count in held.values()), held  # 95 % of 200 is 190


def test_latencies_that_come_in_spells_have_wider_intervals_than_the_same_ones_shuffled():
    random = np.random.Generator(np.random.PCG64(5))
    spells = np.repeat(random.exponential(1e7, 40), 100).astype(np.int64)
    shuffled = random.permutation(spells)
    ordered = np.sort(spells)
    in_spells, mixed = interval(ordered, spells, 50), interval(ordered, shuffled, 50)
    assert in_spells is not None
    assert mixed is not None
    assert in_spells[1] - in_spells[0] > 2 * (mixed[1] - mixed[0])


def test_too_few_values_have_no_interval():
    values = np.arange(50)
    assert interval(values, values, 99) is None
    assert interval(values, values, 50) is not None


@given(latencies)
def test_an_interval_encloses_its_percentile(values: list[int]):
    in_time = np.array(values, dtype=np.int64)
    ordered = np.sort(in_time)
    for percent in PERCENTILES:
        if (found := interval(ordered, in_time, percent)) is not None:
            assert found[0] <= percentile(ordered, percent) <= found[1]


def test_precise_wants_every_interval_within_the_share():
    assert precise([(95, 105), (190, 210)], [100, 200], 0.05)
    assert not precise([(95, 106)], [100], 0.05)
    assert not precise([(94, 100)], [100], 0.05)
    assert not precise([None], [100], 0.5)


def test_a_stall_that_percentiles_hide_is_found_by_its_time():
    values = np.sort(np.array([1_000_000] * 9000 + [1_000_000_000] * 10))
    assert percentile(values, 99) == 1_000_000
    assert stalled_share(values) == pytest.approx(10 / 19)
    assert stalled_share(values[:9000]) == 0
    # one slow request in a long step is no stall
    assert stalled_share(np.sort(np.array([1_000_000] * 900_000 + [100_000_000] * 5))) == 0
    assert stalled_share(np.array([], dtype=np.int64)) == 0
