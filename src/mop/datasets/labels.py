"""The labels of a column as they may be shown: the names that a connected task has, and counts.

Without a task the values of a label column may be anything, a secret too. They are kept as keyed digests, and a task
that is connected later tells the names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mop.datasets.keyed import keyed_digest
from mop.datasets.models import Dataset


def kept_labels(
    dataset: Dataset, counts: Mapping[str, int], allowed: Collection[str] | None
) -> list[dict[str, object]]:
    """What is kept of the labels of a column: name if it is `allowed`, keyed digest and count."""
    return [
        {
            "label": label if allowed is not None and label in allowed else "",
            "key": _key(dataset, label),
            "count": count,
        }
        for label, count in counts.items()
    ]


def labels_outside(dataset: Dataset, labels: Collection[str]) -> int:
    """How many labels of a dataset are none of these."""
    known = {_key(dataset, label) for label in labels}
    return sum(one["key"] not in known for one in dataset.labels)


def reveal_labels(dataset: Dataset, labels: Collection[str]) -> None:
    """Let a dataset tell the names of its labels that are among these; does not save."""
    names = {_key(dataset, label): label for label in labels}
    dataset.labels = [{**one, "label": one["label"] or names.get(one["key"], "")} for one in dataset.labels]


def _key(dataset: Dataset, label: str) -> str:
    return keyed_digest(f"label of dataset {dataset.pk}", label)[:32]
