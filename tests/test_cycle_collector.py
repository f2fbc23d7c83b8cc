from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from mop.cycle_collector import paused_collector


@pytest.fixture(autouse=True)
def nothing_left_frozen() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_in_the_block_and_what_it_made_stays_out_of_later_collections():
    before = gc.get_freeze_count()
    with paused_collector():
        assert not gc.isenabled()
        made = [[] for _ in range(100)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)


def test_it_is_as_before_after_a_failure_and_within_another_block():
    with pytest.raises(KeyError), paused_collector():
        raise KeyError
    assert gc.isenabled()
    with paused_collector():
        with paused_collector():
            pass
        assert not gc.isenabled()
