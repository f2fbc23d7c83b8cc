"""Reads and verifies the file of a dataset. Pure Python: no Django, no database, no settings.

    spec = DatasetSpec(
        modality=Modality.TEXT,
        labels=(LabelColumn(header="hate", label_type=LabelType.BINARY),),
        group_columns=("functionality",),
        language_column="language",
    )
    report = verify(lambda: path.open("rb"), spec)

`verify` reads the file once, as a stream, and gives a `Report`: faults with kind, column, count and first rows; rows,
bytes, how often which label and which value of a slice stands there. A report holds no other cell. `rows` gives the
samples of a clean file, from any row on. `shared_rows` counts the inputs that two files have in common, by the digest
files that `verify` writes if it is asked to.

What stands in a file is hostile: `verify` belongs in the cage (`python -m mop.datasets.reading.job`). What comes out of
there is read back with `Report.from_dict(..., spec)`, which takes nothing that a report of this spec cannot hold.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mop.datasets.reading.digests import shared_rows
    from mop.datasets.reading.faults import KINDS, Fault, FaultKind
    from mop.datasets.reading.report import Report
    from mop.datasets.reading.row_reader import NotAsVerifiedError, Row, rows
    from mop.datasets.reading.spec import DatasetSpec, LabelColumn, LabelType, Limits, Modality
    from mop.datasets.reading.verification import OpenStream, Progress, verify

__all__ = [
    "KINDS",
    "DatasetSpec",
    "Fault",
    "FaultKind",
    "LabelColumn",
    "LabelType",
    "Limits",
    "Modality",
    "NotAsVerifiedError",
    "OpenStream",
    "Progress",
    "Report",
    "Row",
    "rows",
    "shared_rows",
    "verify",
]

_PLACES = {
    "KINDS": "faults",
    "Fault": "faults",
    "FaultKind": "faults",
    "Report": "report",
    "DatasetSpec": "spec",
    "LabelColumn": "spec",
    "LabelType": "spec",
    "Limits": "spec",
    "Modality": "spec",
    "NotAsVerifiedError": "row_reader",
    "Row": "row_reader",
    "rows": "row_reader",
    "shared_rows": "digests",
    "OpenStream": "verification",
    "Progress": "verification",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    """Import what is used alone: specs and faults are read everywhere, numpy and Pillow where files are."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
