"""Predictions and scores of a part of the rows, as Parquet. No address of MOP gives such a file to anybody.

Columns: `row` (its number in the file, 2 for the first), `true` and `predicted` (places in the confusion matrix),
`error` (name in the catalogue, empty where there is an answer), `slice_0` .. (places among the values of each slice
column), `score_0` .. (scores of the task's labels; NaN where there is no answer). What the places stand for is in the
file's metadata.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mop.deferred import np
from mop.evaluation.label_map import LabelMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "1"
LENGTH_RANGES = ("1 to 50", "51 to 200", "201 to 1,000", "over 1,000")
_LENGTH_BOUNDS = (50, 200, 1000)


@dataclass(frozen=True)
class SliceColumns:
    """The columns by which slices are made, and the values that they hold, in order."""

    values: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.values)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Rows one after the other.

    Attributes:
        first_row: number of the first one.
        true: place of its label; shape (rows,).
        predicted: place of the prediction among the columns of the matrix; the last is "no answer".
        errors: the catalogue's name of why there is none, else empty.
        slices: place of its value in each slice column; shape (rows, columns).
        scores: of the task's labels; shape (rows, labels), NaN without an answer.
    """

    first_row: int
    true: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    errors: Sequence[str]
    slices: NDArray[np.uint8]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.true)


def length_range(characters: int) -> int:
    """The place of a text's length among LENGTH_RANGES."""
    return sum(characters > bound for bound in _LENGTH_BOUNDS)


def to_parquet(found: Predictions, mapped: LabelMap, slices: SliceColumns) -> bytes:
    """The file."""
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s, for workers alone
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    columns: dict[str, Any] = {
        "row": np.arange(found.first_row, found.first_row + len(found), dtype=np.uint64),
        "true": found.true,
        "predicted": found.predicted,
        "error": pa.array(found.errors, type=pa.string()),
        **{f"slice_{place}": found.slices[:, place] for place in range(found.slices.shape[1])},
        **{f"score_{place}": found.scores[:, place] for place in range(found.scores.shape[1])},
    }
    facts = {
        "format": FORMAT,
        **mapped.to_dict(),
        "slices": {name: list(values) for name, values in slices.values.items()},
    }
    table = pa.table(columns).replace_schema_metadata({"mop": json.dumps(facts)})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def from_parquet(data: bytes) -> Predictions:
    """What `to_parquet` wrote.

    Raises:
        ValueError: it is another file.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    table: pa.Table = pq.read_table(io.BytesIO(data), use_threads=False)
    facts = json.loads((table.schema.metadata or {}).get(b"mop", b"{}"))
    if facts.get("format") != FORMAT:
        raise ValueError("no file of predictions that this version of MOP knows")
    rows = table.column("row").to_numpy()
    if len(rows) and not np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows), dtype=np.uint64)):
        raise ValueError("the rows do not follow each other")
    return Predictions(
        first_row=int(rows[0]) if len(rows) else 0,
        true=table.column("true").to_numpy(),
        predicted=table.column("predicted").to_numpy(),
        errors=table.column("error").to_pylist(),
        slices=_stacked(table, "slice_", np.uint8),
        scores=_stacked(table, "score_", np.float64),
    )


def _stacked(table: pa.Table, prefix: str, kind: Any) -> NDArray[Any]:
    names = [name for name in table.column_names if name.startswith(prefix)]
    found = np.empty((table.num_rows, len(names)), dtype=kind)
    for place, name in enumerate(names):
        found[:, place] = table.column(name).to_numpy()
    return found
