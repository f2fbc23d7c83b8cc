"""What the verification of a file found."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from mop.datasets.reading.columns import VALUE_CHARACTERS
from mop.datasets.reading.faults import KINDS, Fault, FaultKind
from mop.datasets.reading.spec import MOST_LABELS, DatasetSpec

NUMBERED_COLUMN = re.compile(r"column ([1-9][0-9]{0,6})")


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
        """The JSON form, without quotes of cells; `from_dict` reads it back."""
        return {
            **asdict(self),
            "faults": [_fault_to_dict(fault) for fault in self.faults],
            "warnings": [_fault_to_dict(fault) for fault in self.warnings],
        }

    @classmethod
    def from_dict(cls, data: Any, spec: DatasetSpec) -> Report:
        """What `to_dict` described, as a process told it that a file may have taken over.

        Nothing comes through that a report of this spec cannot hold: columns are those of the spec or numbers, cells
        are not quoted, labels are those allowed.

        Raises:
            ValueError: it has another form.
        """
        try:
            labels = {label.header: label.allowed for label in spec.labels}
            slices: dict[str, tuple[str, ...] | None] = dict.fromkeys(spec.slice_columns)
            return cls(
                faults=tuple(_fault_from_dict(one, spec) for one in data["faults"]),
                warnings=tuple(_fault_from_dict(one, spec) for one in data["warnings"]),
                rows=_number(data["rows"]),
                size=_number(data["size"]),
                columns=_number(data["columns"]),
                label_counts=_counts_from_dict(data["label_counts"], labels, spec),
                slice_counts=_counts_from_dict(data["slice_counts"], slices, spec),
                rows_searched=_number(data["rows_searched"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"Not a report: {type(error).__name__}.") from None


def _fault_to_dict(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.name_in_report,
        "column": fault.column,
        "count": fault.count,
        "rows": list(fault.rows),
    }


def _fault_from_dict(data: dict[str, Any], spec: DatasetSpec) -> Fault:
    column = data["column"]
    if column is not None and column not in spec.required and not spec.is_input(column):
        match = NUMBERED_COLUMN.fullmatch(column)
        _require(match is not None and int(match[1]) <= spec.limits.columns)
    rows = tuple(_number(row) for row in data["rows"])
    _require(len(rows) <= spec.limits.places)
    return Fault(KINDS[data["kind"]], column, _number(data["count"]), rows)


def _counts_from_dict(
    data: dict[str, dict[str, int]], allowed: dict[str, tuple[str, ...] | None], spec: DatasetSpec
) -> dict[str, dict[str, int]]:
    for column, counts in data.items():
        _require(column in allowed and len(counts) <= max(spec.limits.group_values, MOST_LABELS))
        values = allowed[column]
        for value in counts:
            _require(isinstance(value, str) and (len(value) <= VALUE_CHARACTERS if values is None else value in values))
    return {column: {value: _number(count) for value, count in counts.items()} for column, counts in data.items()}


def _number(value: Any) -> int:
    _require(type(value) is int and 0 <= value < 2**63)
    return int(value)


def _require(condition: bool) -> None:  # noqa: FBT001 - as `assert` takes it
    if not condition:
        raise ValueError("Not a report of this spec.")
