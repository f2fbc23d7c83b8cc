"""The form of a task's headline dataset."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from mop.datasets.models import Dataset
from mop.ui.forms import PlainForm


class HeadlineForm(PlainForm):
    """Which dataset gives the number beside a version."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        required=False,
        label="Headline dataset",
        empty_label="the largest that is approved",
        help_text="Its macro F1 (ordinal: F1 of the best partition) is the number that is shown beside a version.",
    )

    def __init__(self, *args: Any, datasets: QuerySet[Dataset], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].queryset = datasets  # type: ignore[attr-defined] # a ModelChoiceField
