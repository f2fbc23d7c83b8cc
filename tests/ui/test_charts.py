from __future__ import annotations

import itertools
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.template.loader import render_to_string

from mop.ui.charts import FLOOR, TOP, WIDTH, Drawing, Series, draw, nice_ticks, number


def chart(*series: Series, **given: Any) -> Drawing:
    return draw("c", title="Latency (ms)", x_label="Clients", series=series, **given)


def html(drawing: Drawing) -> str:
    return render_to_string("components/chart.html", {"chart": drawing})


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0, [0, 1]),
        (float("nan"), [0, 1]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (7, [0, 2, 4, 6, 8]),
        (97, [0, 20, 40, 60, 80, 100]),
        (100, [0, 20, 40, 60, 80, 100]),
        (101, [0, 25, 50, 75, 100, 125]),
        (0.03, [0, 0.01, 0.02, 0.03]),
        (123_456, [0, 25_000, 50_000, 75_000, 100_000, 125_000]),
    ],
)
def test_ticks_are_round_from_0_and_reach_the_largest_value(largest: float, ticks: list[float]):
    assert nice_ticks(largest) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0, None, "0"),
        (1234567, None, "1,234,567"),
        (12.345, None, "12.3"),
        (0.012345, None, "0.0123"),
        (2.5, 2.5, "2.5"),
        (5, 2.5, "5"),
        (0.4, 0.2, "0.4"),
        (25_000, 25_000, "25,000"),
    ],
)
def test_numbers_have_the_digits_that_tell_something(value: float, step: float | None, text: str):
    assert number(value, step=step) == text


def test_each_series_has_a_marker_and_a_colour_of_its_own():
    drawing = chart(*(Series(name, {1.0: 1.0}) for name in ("P50", "P90", "P95", "P99", "Average")))
    assert len({line.shape for line in drawing.lines}) == 5
    assert len({line.colour for line in drawing.lines}) == 5
    assert {line.dash for line in drawing.lines} == {0}


def test_runs_laid_over_each_other_share_colour_and_marker_and_differ_in_dashes():
    one, other = chart(Series("RPS", {1.0: 5.0}, "v1"), Series("RPS", {1.0: 6.0, 10.0: 9.0}, "v2")).lines
    assert (one.colour, one.shape) == (other.colour, other.shape)
    assert (one.dash, other.dash) == (0, 1)


def test_the_table_has_a_row_for_each_x_of_any_run_and_a_column_for_each_series():
    drawing = chart(Series("RPS", {1.0: 5.0}, "v1"), Series("RPS", {1.0: 6.0, 10.0: None}, "v2"))
    assert drawing.head == ("Clients", "v1 RPS", "v2 RPS")
    assert drawing.rows == (("1", "5", "6"), ("10", "", ""))


def test_a_line_breaks_where_nothing_was_measured_and_goes_on_where_another_run_has_a_step():
    gap = chart(Series("P50", {1.0: 1.0, 2.0: None, 3.0: 3.0})).lines[0]
    assert gap.path.count("M") == 2
    beside = chart(Series("P50", {1.0: 1.0, 3.0: 3.0}, "v1"), Series("P50", {2.0: 2.0}, "v2")).lines[0]
    assert beside.path.count("M") == 1


def test_a_single_value_is_drawn_as_a_mark():
    (line,) = chart(Series("P50", {1.0: 4.0})).lines
    ((mark),) = line.marks
    assert float(mark.x) < WIDTH
    assert TOP <= float(mark.y) <= FLOOR
    assert mark.tip == "P50: 4 at clients 1"


def test_nothing_measured_is_said_instead_of_drawn():
    text = html(chart(Series("P50", {})))
    assert "Nothing was measured yet." in text
    assert "<svg" not in text


def test_labels_of_both_axes_fit_beside_each_other_and_inside():
    drawing = chart(Series("Total", {float(x): 1_234_567.0 for x in range(1000, 21000, 100)}))
    assert float(drawing.left) > 7 * len(drawing.y_ticks[-1].text)
    places = [(float(tick.at), len(tick.text)) for tick in drawing.x_ticks]
    for (left, length), (right, _) in itertools.pairwise(places):
        assert right - left >= 7 * length


def test_the_drawing_names_and_describes_itself_and_needs_no_style_or_script():
    text = html(chart(Series("P50", {1.0: 4.0, 10.0: 9.0}), unit="%"))
    svg = ET.fromstring(re.findall(r"<svg class=\"chart__plot\".*?</svg>", text, re.DOTALL)[0])  # noqa: S314 - our own
    named = dict.fromkeys(svg.attrib["aria-labelledby"].split(), "")
    for part in svg:
        if part.attrib.get("id") in named:
            named[part.attrib["id"]] = part.text or ""
    assert list(named.values()) == [
        "Latency (ms)",
        "Latency (ms): P50, by Clients 1 to 10. The table below holds the values.",
    ]
    assert svg.attrib["role"] == "img"
    assert not re.search(r"<script|<style|style=|\son\w+=", text)
    assert "<td>9%</td>" in text


def test_names_from_outside_are_escaped():
    text = html(chart(Series("P50", {1.0: 4.0}, '"><script>alert(1)</script>'), Series("P50", {1.0: 4.0}, "b")))
    assert "<script>" not in text
