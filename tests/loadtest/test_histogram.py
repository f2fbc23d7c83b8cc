from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mop.loadtest.histogram import EDGES, PARTS, histogram, merged

ENDS = dict(pairwise(EDGES))  # of each bucket but the last

values = st.lists(st.integers(0, 10**14), max_size=200)


@given(values)
def test_every_value_is_in_the_bucket_that_holds_it(latencies: list[int]):
    buckets = histogram(np.array(latencies, dtype=np.int64))
    for begin, count in buckets:
        end = ENDS.get(begin)
        assert count == sum(begin <= value and (end is None or value < end) for value in latencies)
    assert sum(count for _, count in buckets) == len(latencies)
    assert [begin for begin, _ in buckets] == sorted(begin for begin, _ in buckets)


@given(values, values)
def test_histograms_add_up(one: list[int], other: list[int]):
    together = histogram(np.array(one + other, dtype=np.int64))
    parts = [histogram(np.array(part, dtype=np.int64)) for part in (one, other)]
    assert merged(parts) == together


def test_buckets_are_a_sixteenth_of_their_values_wide_at_most():
    assert list(EDGES) == sorted(set(EDGES))
    for begin in EDGES[1:-1]:
        assert ENDS[begin] - begin <= begin / PARTS
    assert EDGES[1] == 1024
