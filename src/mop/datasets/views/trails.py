"""The way to the pages of datasets; the last entry is the page itself."""

from __future__ import annotations

from django.urls import reverse

from mop.ui.pages import Trail


def below_datasets(*further: tuple[str, str]) -> Trail:
    """To a page below the list."""
    return [("Evaluation Datasets", reverse("datasets:datasets")), *further]


def below_dataset(name: str, here: str) -> Trail:
    """To a page below a dataset's."""
    return below_datasets((name, reverse("datasets:dataset", args=[name])), (here, ""))
