from __future__ import annotations

import datetime as dt

import pytest

from mop.ui.templatetags.mop_times import ago, since

NOW = dt.datetime(2026, 11, 29, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        ({"seconds": 20}, "now"),
        ({"minutes": 26}, "26 min ago"),
        ({"hours": 3}, "3 h ago"),
        ({"hours": 23}, "23 h ago"),
        ({"hours": 30}, "yesterday"),
        ({"days": 9}, "9 days ago"),
        ({"days": 31}, "29 Oct"),
        ({"days": 400}, "25 Oct 2025"),
    ],
)
def test_a_time_is_told_as_people_compare_it(earlier: dict[str, int], text: str):
    assert since(NOW - dt.timedelta(**earlier), NOW) == text


def test_the_exact_time_stands_on_hover():
    assert 'title="29 Nov 2026, 09:30:00 UTC"' in ago(NOW)
    assert "never" in ago(None)
