"""What the verification of a file found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mop.datasets.reading.faults import KINDS, Fault, FaultKind


@dataclass(frozen=True, kw_only=True)
class Report:
    """What may be shown of a file that nobody may read. It holds no cell except labels and the values of slices.

    Attributes:
        faults: empty if and only if the file is as its spec says.
        warnings: what does not decide: duplicate rows.
        rows: rows of samples that were read, the header not counted.
        size: bytes that were read.
        columns: of the header; 0 if there was none.
        label_counts: for each label column how many rows have which label, most frequent first. A column with a fault
            is left out: what stands in it may be anything.
        slice_counts: the same for each group column and the language column.
        rows_searched: how many rows were compared with each other for duplicates; fewer than `rows` when the disk
            budget ended. The digest file holds no others.
    """

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    rows: int = 0
    size: int = 0
    columns: int = 0
    label_counts: dict[str, dict[str, int]] = field(default_factory=dict)
    slice_counts: dict[str, dict[str, int]] = field(default_factory=dict)
    rows_searched: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether the file has no fault; warnings do not count."""
        return not self.faults

    def faults_of(self, label_header: str, others: frozenset[str]) -> tuple[Fault, ...]:
        """The faults that concern the dataset of one label column.

        Args:
            label_header: its column.
            others: the label columns of the file's other datasets; faults of theirs alone do not concern this one.
        """
        label_faults = {FaultKind.LABEL_NOT_OF_TASK, FaultKind.LABEL_SIZE, FaultKind.ONE_CLASS_ONLY}
        return tuple(
            fault
            for fault in self.faults
            if fault.column == label_header or fault.column not in others or fault.kind not in label_faults
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `from_dict` reads it back."""
        return {
            **asdict(self),
            "faults": [_fault_to_dict(fault) for fault in self.faults],
            "warnings": [_fault_to_dict(fault) for fault in self.warnings],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """What `to_dict` described."""
        return cls(
            **{
                **data,
                "faults": tuple(_fault_from_dict(one) for one in data["faults"]),
                "warnings": tuple(_fault_from_dict(one) for one in data["warnings"]),
            }
        )


def _fault_to_dict(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.name_in_report,
        "column": fault.column,
        "count": fault.count,
        "rows": list(fault.rows),
        "quotes": list(fault.quotes),
    }


def _fault_from_dict(data: dict[str, Any]) -> Fault:
    return Fault(
        kind=KINDS[data["kind"]],
        column=data["column"],
        count=data["count"],
        rows=tuple(data["rows"]),
        quotes=tuple(data["quotes"]),
    )
