"""Datasets in the portal's search."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from mop.accounts.models import User
from mop.datasets.selectors import datasets_for_list
from mop.ui.search import Hit, Search


def find_datasets(_user: User, text: str, limit: int) -> Sequence[Hit]:
    """Datasets by name and description; everybody who is signed in sees them."""
    fitting = datasets_for_list(search=text, status="all").order_by("name")
    return [Hit(one.name, reverse("datasets:dataset", args=[one.name]), one.description) for one in fitting[:limit]]


DATASETS = Search("Evaluation Datasets", "datasets", find_datasets)
