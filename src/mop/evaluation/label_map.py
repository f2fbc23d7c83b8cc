"""How the labels of model, task and dataset relate: compared before a row is run, and what rows are counted by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from mop.catalog.models import LabelType as TaskLabelType
from mop.catalog.models import Task
from mop.datasets.models import Dataset, LabelType
from mop.datasets.reading.spec import BINARY_LABELS
from mop.errors import EvaluationMappingError


@dataclass(frozen=True)
class LabelMap:
    """What the rows of one dataset are counted by, for one task.

    Attributes:
        task_labels: of the task, in its order; scores are kept by them.
        labels: rows of the confusion matrix.
        outside: further columns; "no answer" follows.
        places: of each task label, its column.
        levels: names of an ordinal task's levels as the matrix has them; empty for a categorical task.
    """

    task_labels: tuple[str, ...]
    labels: tuple[str, ...]
    outside: tuple[str, ...]
    places: tuple[int, ...]
    levels: tuple[str, ...]

    @property
    def no_answer(self) -> int:
        """The column of rows without an answer."""
        return len(self.labels) + len(self.outside)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for digests and files."""
        return {
            "task_labels": list(self.task_labels),
            "labels": list(self.labels),
            "outside": list(self.outside),
            "levels": list(self.levels),
        }


def label_map(task: Task, dataset: Dataset) -> LabelMap:
    """The labels of task and dataset brought together.

    Raises:
        EvaluationMappingError: they do not fit each other.
    """
    labels = tuple(task.labels)
    found = [one["label"] for one in dataset.labels]
    if task.modality != dataset.file.modality:
        raise EvaluationMappingError(
            f"The task {task} has the modality {task.modality}, the dataset {dataset} {dataset.file.modality}."
        )
    if dataset.label_type == LabelType.BINARY:
        _refuse_others(set(found) - set(BINARY_LABELS), dataset, "a Binary dataset")
    else:
        _refuse_others(set(found) - set(labels), dataset, f"the task {task}")
    if task.label_type == TaskLabelType.ORDINAL:
        if dataset.label_type == LabelType.BINARY:
            levels = _level_names(labels)
            return LabelMap(labels, BINARY_LABELS, levels, tuple(range(2, 2 + len(labels))), levels)
        if dataset.label_type == LabelType.ORDINAL:
            return LabelMap(labels, labels, (), tuple(range(len(labels))), labels)
        raise EvaluationMappingError(f"The task {task} is Ordinal; {dataset} is a {dataset.label_type} dataset.")
    if dataset.label_type == LabelType.ORDINAL:
        raise EvaluationMappingError(f"The task {task} is Categorical; {dataset} is an Ordinal dataset.")
    if dataset.label_type == LabelType.BINARY and set(labels) != set(BINARY_LABELS):
        raise EvaluationMappingError(f"{dataset} is Binary; the task {task} has other labels than 0 and 1.")
    rows = tuple(label for label in labels if label in found)
    outside = tuple(label for label in labels if label not in found)
    columns = rows + outside
    return LabelMap(labels, rows, outside, tuple(columns.index(label) for label in labels), ())


def mapping_digest(task: Task, dataset: Dataset, customized_name: str, mapped: LabelMap) -> str:
    """The digest of everything by which outputs and cells become counts."""
    facts = {
        "taxonomy": task.taxonomy_id,
        "customized_name": customized_name,
        "task": task.label_type,
        "dataset": [dataset.label_type, dataset.label_header],
        **mapped.to_dict(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _level_names(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The levels beside `0` and `1`, which are the labels of the dataset and no levels."""
    if not set(labels) & set(BINARY_LABELS):
        return labels
    return tuple(f"level {label}" for label in labels)


def _refuse_others(others: set[str], dataset: Dataset, what: str) -> None:
    if others:  # without their names: what no task names is hidden
        raise EvaluationMappingError(f"{dataset} holds {len(others)} labels that are none of {what}.")
