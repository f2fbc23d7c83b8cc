from __future__ import annotations

import pytest

from mop.ui.templatetags.mop_ui import rate


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.0, "0"), (0.44, "0.4"), (88.0, "88"), (88.34, "88.3"), (412.7, "413"), (6598.8, "6,599")],
)
def test_a_rate_has_the_digits_that_say_something(number: float, shown: str):
    assert rate(number) == shown
