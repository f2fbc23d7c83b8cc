"""Which tasks a dataset can be measured for."""

from __future__ import annotations

from collections.abc import Sequence

from mop.catalog.models import LabelType as TaskLabelType
from mop.catalog.models import Task
from mop.datasets.models import LabelType
from mop.datasets.reading.spec import BINARY_LABELS

LEAST_LABELS = 2


def misfit(task: Task, *, modality: str, label_type: str, label_size: int | None) -> str | None:
    """Why a dataset cannot be measured for a task; None if it can."""
    if task.modality != modality:
        return f"The task {task.name} has the modality {task.modality}, the dataset {modality}."
    is_ordinal = task.label_type == TaskLabelType.ORDINAL
    message = ""
    if label_type == LabelType.BINARY and not is_ordinal and set(task.labels) != set(BINARY_LABELS):
        message = "is Categorical with other labels than 0 and 1; a Binary dataset does not fit it"
    elif label_type == LabelType.ORDINAL and not is_ordinal:
        message = "is not Ordinal; an Ordinal dataset does not fit it"
    elif label_type == LabelType.MULTI_LABEL and is_ordinal:
        message = "is Ordinal; a Multi-label dataset fits Categorical tasks only"
    elif label_type == LabelType.MULTI_LABEL and len(task.labels) < (label_size or LEAST_LABELS):
        message = f"has {len(task.labels)} labels, fewer than the dataset's label size {label_size or LEAST_LABELS}"
    return f"The task {task.name} {message}." if message else None


def common_labels(label_type: str, tasks: Sequence[Task]) -> tuple[str, ...] | None:
    """The labels that all tasks have, in the order of the first; None where no task decides.

    A Binary dataset holds 0 and 1 whatever an ordinal task's levels are called.
    """
    if label_type == LabelType.BINARY or not tasks:
        return None
    return tuple(label for label in tasks[0].labels if all(label in task.labels for task in tasks))
