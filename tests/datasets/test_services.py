"""Datasets from the form to a decision: what becomes of them, and what is refused."""

from __future__ import annotations

import pytest

from mop.datasets.bindings import approve
from mop.datasets.selectors import get_dataset, usable_datasets
from support.datasets import dataset_input, make_datasets, read
from support.factories import ACTOR, make_task

pytestmark = pytest.mark.django_db


def test_a_dataset_is_read_verified_and_approved():
    task = make_task()
    (dataset,) = make_datasets(dataset_input(tasks=[task]))
    assert dataset.status == "created"
    read(dataset)
    assert (dataset.status, dataset.rows, dataset.error) == ("verified", 120, None)
    assert [(one["label"], one["count"]) for one in dataset.label_ratio()] == [("0", 60), ("1", 60)]
    assert not usable_datasets(task)
    approve(actor=ACTOR, binding=get_dataset(dataset.name).bindings.get())
    assert [found.name for found in usable_datasets(task)] == [dataset.name]
