"""What of a dataset's columns an evaluation reads: its label, and the columns that slice it."""

from __future__ import annotations

from collections.abc import Mapping

from mop.datasets.models import Dataset
from mop.datasets.reading.spec import DatasetSpec, LabelColumn, Modality
from mop.datasets.reading.spec import LabelType as Kind
from mop.evaluation.predictions import LENGTH_RANGES, SliceColumns
from mop.evaluation.results import LENGTH_COLUMN


def spec_of(dataset: Dataset) -> DatasetSpec:
    """What the reader is told of the file."""
    file = dataset.file
    return DatasetSpec(
        modality=Modality(file.modality),
        labels=(LabelColumn(header=dataset.label_header, label_type=Kind(dataset.label_type)),),
        group_columns=tuple(file.group_columns),
        language_column=file.language_column or None,
    )


def slice_values_of(dataset: Dataset) -> Mapping[str, tuple[str, ...]]:
    """The values of each column of the file that slices it, in the order of their places in predictions."""
    return {name: tuple(sorted(values)) for name, values in dataset.slices.items()}


def slice_columns_of(dataset: Dataset) -> SliceColumns:
    """In the order in which the reader gives them; text length, which MOP makes, is the last."""
    values = slice_values_of(dataset)
    found = {name: tuple(values.get(name, ())) for name in spec_of(dataset).slice_columns}
    if dataset.file.modality != Modality.IMAGE and LENGTH_COLUMN not in found:
        found[LENGTH_COLUMN] = LENGTH_RANGES
    return SliceColumns(found)
