"""A solver that is given everything shown, the reasons included, computes no withheld slice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import linprog

from mop.evaluation.metrics.slices import SliceName
from mop.evaluation.reports.document import report_of
from mop.evaluation.reports.shown import shown_of
from support.measurements import Rows, categorical

LEAST = 10


def rows_with_small_groups(seed: int) -> Rows:
    """Columns of which one follows from another, with values of a few rows."""
    generator = np.random.default_rng(seed)
    count = int(generator.integers(150, 500))
    spread = generator.dirichlet(np.full(5, 0.5))
    source = [f"s{value}" for value in generator.choice(5, count, p=spread)]
    family = ["odd" if int(value[1]) % 2 else "even" for value in source]
    language = [str(value) for value in generator.choice(["en", "de", "fr"], count, p=[0.7, 0.28, 0.02])]
    return categorical(seed, count=count, groups={"source": source, "family": family, "language": language})


@pytest.mark.parametrize("seed", range(6))
def test_a_solver_over_everything_shown_computes_no_small_slice(seed: int):
    rows = rows_with_small_groups(seed)
    for merges in ({}, {"threat": "bad", "graphic": "bad"}):
        document = report_of(rows.shown(LEAST), merges)
        small = [one for one in document.slices if rows.chosen(SliceName(one.column, one.value)).sum() < LEAST]
        assert all(one.withheld and one.rows is None and one.metrics is None for one in small)
        for one in small:
            low, high = bounds(rows, document, SliceName(one.column, one.value))
            assert high - low >= 1, f"{one} has {low} to {high} rows"


def bounds(rows: Rows, document, wanted: SliceName) -> tuple[float, float]:
    """The least and the greatest number of rows of a slice that agree with everything shown.

    Unknown are the rows of each combination of slices; known are the rows of the whole and of every slice that is
    shown, and that no withheld slice is empty. Matrices give the same system once for every cell.
    """
    combinations = sorted({rows.names(row) for row in range(len(rows.true))}, key=sorted)
    shown = {SliceName(one.column, one.value): one for one in document.slices}
    member = {name: np.array([float(name in names) for names in combinations]) for name in shown}
    equal = [np.ones(len(combinations))]
    values = [float(document.rows)]
    above, limits = [], []
    for name, one in shown.items():
        if not one.withheld:
            equal.append(member[name])
            values.append(float(one.rows))
        else:  # it has a row at least, or it would not stand there
            above.append(-member[name])
            limits.append(-1.0)
    found = []
    for sign in (1, -1):
        solved = linprog(
            sign * member[wanted], A_ub=above or None, b_ub=limits or None, A_eq=equal, b_eq=values, bounds=(0, None)
        )
        assert solved.status == 0, solved.message
        found.append(sign * solved.fun)
    return found[0], found[1]


def test_the_solver_does_compute_a_slice_that_is_not_withheld_with_another():
    """The solver can find what a report without withholding would give away."""
    rows = categorical(1, count=200, groups={"source": ["a"] * 5 + ["b"] * 95 + ["c"] * 100})
    document = report_of(rows.shown(LEAST))
    careless = dataclasses.replace(
        document,
        slices=tuple(
            dataclasses.replace(one, withheld="", rows=int(rows.chosen(SliceName(one.column, one.value)).sum()))
            if one.value == "b"
            else one
            for one in document.slices
        ),
    )
    low, high = bounds(rows, careless, SliceName("source", "a"))
    assert low == pytest.approx(high)


def test_nothing_of_a_withheld_slice_but_its_name_and_reason_is_in_the_document():
    groups = {"source": ["voice"] * 6 + ["chat"] * 60 + ["forum"] * 434}
    document = report_of(categorical(3, count=500, groups=groups).shown(LEAST))
    found = {one.value: one for one in document.slices}
    for value in ("voice", "chat"):
        given = {name: value for name, value in dataclasses.asdict(found[value]).items() if value}
        assert set(given) == {"column", "value", "withheld"}
        # which of them is the small one is not told: with 11 rows together, one reason each would tell both sizes
        assert given["withheld"] == "under 10 rows, or would reveal a slice that is"
    assert found["forum"].rows == 434


def test_all_revisions_withhold_the_same_slices():
    first, second = (categorical(3, count=500, skill=skill).shown(LEAST).withheld for skill in (0.9, 0.2))
    assert first
    assert first == second


def test_a_minimum_that_was_raised_withholds_every_slice_until_the_result_is_counted_again():
    document = categorical(3, count=500).document(LEAST)
    assert shown_of(document, least=LEAST).slices
    raised = shown_of(document, least=LEAST + 1)
    assert not raised.slices
    assert {one.name for one in document.slices} < set(raised.withheld)
    assert shown_of(document, least=LEAST - 1).least == LEAST
