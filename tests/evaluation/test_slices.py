"""Slices that are withheld cannot be computed from what is shown: a solver tries."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mop.evaluation.metrics.slices import SliceName, withheld


def names_of(**values: str) -> list[SliceName]:
    return [SliceName(column, value) for column, value in values.items() if value]


def test_without_small_slices_nothing_is_withheld():
    assert withheld([names_of(group="a"), names_of(group="b")], [10, 300]) == frozenset()


def test_a_small_slice_takes_the_next_smallest_along_because_the_rest_would_give_it():
    combinations = [names_of(group=value) for value in "abc"]
    assert withheld(combinations, [5, 40, 300]) == set(names_of(group="a") + names_of(group="b"))


def test_small_slices_that_are_few_rows_together_take_another_along():
    combinations = [names_of(group=value) for value in "abcd"]
    assert withheld(combinations, [3, 4, 40, 300]) == {*names_of(group="a"), *names_of(group="b"), *names_of(group="c")}
    assert withheld(combinations, [6, 7, 40, 300]) == {*names_of(group="a"), *names_of(group="b")}


def test_rows_without_a_value_keep_a_small_slice_from_being_computed():
    combinations = [names_of(group="a"), names_of(group="b"), names_of(group="")]
    assert withheld(combinations, [5, 40, 30]) == set(names_of(group="a"))


def test_a_small_slice_that_another_column_would_give_away_is_not_given_away():
    # by itself `group` is safe with a and b withheld; `family` shows a and c together, and c is shown
    combinations = [names_of(group="a", family="x"), names_of(group="b", family="y"), names_of(group="c", family="x")]
    combinations.append(names_of(group="d", family="y"))
    hidden = withheld(combinations, [5, 20, 50, 100])
    assert set(names_of(group="a", family="")) <= hidden
    assert not solves(combinations, [5, 20, 50, 100], hidden)


@pytest.mark.parametrize("seed", range(30))
def test_a_solver_over_everything_shown_computes_no_small_slice(seed: int):
    generator = np.random.default_rng(seed)
    counter: Counter[tuple[SliceName, ...]] = Counter()
    spread = generator.dirichlet(np.full(6, 0.4))
    for _ in range(int(generator.integers(40, 400))):
        row = names_of(
            group=f"g{generator.choice(6, p=spread)}",
            language=["", "en", "de", "fr"][generator.choice(4, p=[0.05, 0.6, 0.3, 0.05])],
        )
        # a column that follows from another: what it shows is a sum of the other's slices
        row += names_of(family="odd" if int(row[0].value[1]) % 2 else "even")
        counter[tuple(row)] += 1
    combinations, rows = list(counter), list(counter.values())
    assert not solves(combinations, rows, withheld(combinations, rows))


def solves(combinations: list, rows: list[int], hidden: frozenset[SliceName], least: int = 10) -> list[SliceName]:
    """The small slices whose number of correct rows follows from the numbers of everything that is shown.

    Numbers are drawn for each combination of slices at random; a solver that is given those of the shown slices, and
    the structure of the dataset, finds the small slice's if and only if every solution agrees.
    """
    slices = sorted({name for names in combinations for name in names})
    sizes = {
        name: sum(count for names, count in zip(combinations, rows, strict=True) if name in names) for name in slices
    }
    shown = [name for name in slices if name not in hidden]
    assert all(sizes[name] >= least for name in shown)
    system = np.array([[1.0] * len(rows), *([float(name in names) for names in combinations] for name in shown)])
    found = []
    for name in slices:
        if sizes[name] >= least:
            continue
        wanted = np.array([float(name in names) for names in combinations])
        solution, *_ = np.linalg.lstsq(system.T, wanted, rcond=None)
        if np.abs(system.T @ solution - wanted).max() < 1e-6:
            found.append(name)
    return found


def test_each_combination_has_rows():
    with pytest.raises(ValueError, match="rows"):
        withheld([names_of(group="a")], [0])
