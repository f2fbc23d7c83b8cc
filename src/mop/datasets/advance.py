"""Changing a dataset's status."""

from __future__ import annotations

from mop.audit.transitions import Change, Entity
from mop.datasets.actions import Action
from mop.datasets.models import Dataset
from mop.datasets.notices import notify_status
from mop.datasets.states import DATASET_LIFECYCLE, DatasetStatus


def _set_fields(change: Change[Dataset, DatasetStatus]) -> None:
    change.row.status_changed_at = change.at


def _tell(change: Change[Dataset, DatasetStatus]) -> None:
    notify_status(change.row, actor=change.actor)


DATASET = Entity(
    model=Dataset,
    lifecycle=DATASET_LIFECYCLE,
    name="dataset",
    object_type="dataset",
    action=Action.DATASET_STATUS,
    set_fields=_set_fields,
    tell=_tell,
)
