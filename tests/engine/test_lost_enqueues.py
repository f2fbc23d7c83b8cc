"""The sweep enqueues what every registered kind of work says that waits."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.engine import lost_enqueues
from mop.engine.lost_enqueues import GRACE, Waiting, register_waiting, sweep_lost_enqueues


@pytest.fixture(autouse=True)
def no_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the kinds of the test are known."""
    monkeypatch.setattr(lost_enqueues, "_kinds", {})


def test_what_waits_since_before_the_grace_time_is_enqueued():
    asked: list[dt.datetime] = []
    enqueued: list[str] = []

    def letters(before: dt.datetime) -> list[str]:
        asked.append(before)
        return ["a", "b"]

    register_waiting("letters", Waiting(letters, enqueued.append))
    register_waiting("parcels", Waiting(lambda _before: ["c"], enqueued.append))
    earliest = timezone.now() - GRACE
    assert sweep_lost_enqueues() == 3
    assert enqueued == ["a", "b", "c"]
    assert earliest <= asked[0] <= timezone.now() - GRACE


def test_two_kinds_of_one_name_are_a_bug():
    letters = Waiting(lambda _before: [], print)
    register_waiting("letters", letters)
    register_waiting("letters", letters)
    with pytest.raises(ValueError, match="two kinds of work are named 'letters'"):
        register_waiting("letters", Waiting(lambda _before: [], print))
