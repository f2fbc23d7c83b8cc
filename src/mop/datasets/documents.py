"""Datasets and requests as plain data, as far as one person may see them; API and pages use the same."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from mop.accounts.models import User
from mop.accounts.rules import may
from mop.datasets.models import Binding, Dataset
from mop.datasets.reading.faults import KINDS
from mop.datasets.selectors import related_datasets, shared_with
from mop.datasets.states import BindingState, DatasetStatus


def shown_faults(user: User, dataset: Dataset, kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Faults with their texts; rows for owners of the dataset who are of its team alone."""
    sees_rows = may(user, "datasets.view_places", dataset)
    return [
        {
            **one,
            "title": KINDS[one["kind"]].title,
            "hint": KINDS[one["kind"]].hint,
            "rows": one["rows"] if sees_rows else [],
        }
        for one in kept
    ]


def detail_of(user: User, dataset: Dataset) -> Dataset:
    """A dataset with what its page shows beside its row, for `DatasetDetail`."""
    shown: Any = dataset
    reading = dataset.reading
    is_live = dataset.get_status().is_live
    shown.related_datasets = related_datasets(dataset)
    shown.progress = reading.progress if is_live else None
    shown.waits_for = reading.waits_for if is_live else None
    shown.retry_at = reading.retry_at if is_live else None
    shown.faults = shown_faults(user, dataset, dataset.faults)
    shown.warnings = shown_faults(user, dataset, dataset.warnings)
    return dataset


def request_of(user: User, binding: Binding) -> dict[str, Any]:
    """A binding as the owners of its task see it; the rows that it shares with others are told to them alone."""
    dataset = binding.dataset
    shared = shared_with(binding) if may(user, "datasets.view_shared", binding.task) else []
    return {
        "dataset": dataset.name,
        "state": binding.state,
        "can_be_approved": can_be_approved(binding),
        "status": dataset.status,
        "label_type": dataset.label_type,
        "modality": dataset.file.modality,
        "language": dataset.file.language,
        "sample_number": dataset.rows,
        "label_ratio": dataset.label_ratio(),
        "team": dataset.file.team.name,
        "requested_by": binding.requested_by_label,
        "requested_at": binding.requested_at,
        "decided_by": binding.decided_by_label,
        "decided_at": binding.decided_at,
        "comment": binding.comment,
        "shared_rows": [{"dataset": name, "rows": count} for name, count in shared],
    }


def can_be_approved(binding: Binding) -> bool:
    """Whether the dataset is verified and large enough, and not approved yet."""
    dataset = binding.dataset
    return (
        binding.state != BindingState.APPROVED
        and dataset.status == DatasetStatus.VERIFIED
        and (dataset.rows or 0) >= settings.MOP_DATASET_ROWS_MIN
    )
