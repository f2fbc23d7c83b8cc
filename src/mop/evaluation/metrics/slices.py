"""Slices: metrics of the rows of one group, and which slices must be withheld.

A slice of few rows tells about single ones. It is withheld together with whatever would let it be computed: the sizes
and matrices of slices add up, so every sum and difference of what is shown can be formed. A slice is safe when it is no
linear combination of what is shown; that is decided on the rows themselves, over all group columns at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.deferred import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


LEAST_ROWS = 10
_TOLERANCE = 1e-8


@dataclass(frozen=True, order=True)
class SliceName:
    """A value of a group column."""

    column: str
    value: str


def withheld(
    combinations: Sequence[Iterable[SliceName]], rows: Sequence[int], *, least: int = LEAST_ROWS
) -> frozenset[SliceName]:
    """The slices that must not be shown.

    Args:
        combinations: which combinations of slices occur in the dataset: of each, the slices that its rows are in (one
            of each group column that the row has a value for).
        rows: how many rows each combination has.
        least: a slice with fewer is withheld.

    Returns:
        Slices with too few rows, and as many others, the smallest first, as it takes to keep those from being computed
        from the whole dataset and the slices that are shown, alone or with the other hidden ones of their column.

    Raises:
        ValueError: a combination without a row, or another number of them.
    """
    if len(rows) != len(combinations) or any(count < 1 for count in rows):
        raise ValueError("each combination has rows")
    members: dict[SliceName, NDArray[np.float64]] = {}
    for place, names in enumerate(combinations):
        for name in names:
            members.setdefault(name, np.zeros(len(rows)))[place] = 1.0
    weights = np.asarray(rows, dtype=np.int64)
    sizes = {name: int(weights[indicator > 0].sum()) for name, indicator in members.items()}
    hidden = {name for name, size in sizes.items() if size < least}
    small = frozenset(hidden)
    while small:
        exposed = _exposed(small, hidden, members, weights, least)
        if not exposed:
            break
        # the slice whose loss costs the fewest rows; of one column with the exposed slice, where it can be
        columns = {name.column for name in exposed}
        rest = [name for name in members if name not in hidden]
        if not rest:
            break
        hidden.add(min(rest, key=lambda name: (name.column not in columns, sizes[name], name)))
    return frozenset(hidden)


def _exposed(
    small: frozenset[SliceName],
    hidden: set[SliceName],
    members: Mapping[SliceName, NDArray[np.float64]],
    weights: NDArray[np.int64],
    least: int,
) -> set[SliceName]:
    """The small slices that are a linear combination of the whole and the slices that are shown.

    So is a small slice whose column hides fewer rows than may be shown, if those rows together can be computed.
    """
    size = len(next(iter(members.values())))
    shown = np.stack([np.ones(size), *(members[name] for name in sorted(members) if name not in hidden)])
    # an orthonormal basis of what can be computed
    _, strengths, basis = np.linalg.svd(shown, full_matrices=False)
    basis = basis[strengths > _TOLERANCE * strengths[0]]

    def is_computed(indicator: NDArray[np.float64]) -> bool:
        return bool(np.abs(indicator - basis.T @ (basis @ indicator)).max() < _TOLERANCE)

    found = {name for name in small if is_computed(members[name])}
    for column in {name.column for name in small}:
        together = np.sum([members[name] for name in hidden if name.column == column], axis=0)
        if weights @ together < least and is_computed(together):
            found |= {name for name in small if name.column == column}
    return found
