from __future__ import annotations

import datetime as dt

import pytest

from mop.registry.models import RevisionEvent
from mop.registry.selectors import durations
from mop.registry.statuses import RevisionStatus as S
from mop.registry.timelines import attempts

pytestmark = pytest.mark.dialect

START = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def events(*steps: tuple[int, S, float]) -> list[RevisionEvent]:
    """Events of (attempt, status, seconds since the start)."""
    return [
        RevisionEvent(id=number, attempt=attempt, status=status, at=START + dt.timedelta(seconds=at))
        for number, (attempt, status, at) in enumerate(steps, 1)
    ]


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def test_a_status_lasts_until_the_next_and_the_last_counts_on():
    entries = durations(events((1, S.CREATED, 0), (1, S.DATA_DOWNLOADED, 1.5)), now=at(10))
    assert [entry.seconds for entry in entries] == [1.5, 8.5]
    assert [entry.is_current for entry in entries] == [False, True]


def test_an_end_has_no_duration_until_somebody_retries():
    steps = [(1, S.CREATED, 0), (1, S.VERIFY_FAILED, 2)]
    assert durations(events(*steps), now=at(99))[-1].seconds is None
    assert durations(events(*steps, (2, S.CREATED, 62)), now=at(99))[1].seconds == 60


def test_waiting_for_a_try_again_counts():
    assert durations(events((1, S.CREATED, 0), (1, S.TO_BE_RETRIED, 2)), now=at(32))[-1].seconds == 30


def test_a_clock_that_went_back_gives_no_negative_duration():
    entries = durations(events((1, S.CREATED, 5), (1, S.DATA_DOWNLOADED, 4)), now=at(3))
    assert [entry.seconds for entry in entries] == [0.0, 0.0]


def test_no_events_are_no_entries():
    assert durations([], now=START) == []


def test_attempts_are_newest_first_and_the_present_one_shows_what_lies_ahead():
    entries = durations(
        events((1, S.CREATED, 0), (1, S.TO_BE_RETRIED, 1), (2, S.CREATED, 2), (2, S.DATA_DOWNLOADED, 3)), now=at(4)
    )
    second, first = attempts(entries)
    assert (second.number, first.number) == (2, 1)
    assert [step.look for step in second.steps] == ["passed", "busy", *["ahead"] * 7]
    assert second.steps[1].is_counting
    assert [step.look for step in first.steps] == ["passed", "warn"]
    assert first.steps[1].seconds is None
