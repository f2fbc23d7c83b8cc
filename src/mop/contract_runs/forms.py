"""Forms of connected tasks and samples."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django import forms

from mop.catalog.models import Task
from mop.registry.models import CUSTOMIZED_NAME_MAX
from mop.ui.forms import JsonField, PlainForm


class AddTaskForm(PlainForm):
    """A task to connect."""

    task = forms.ChoiceField(help_text="A model has at most one task per taxonomy.")
    customized_name = forms.CharField(
        label="Name in the model's output",
        required=False,
        max_length=CUSTOMIZED_NAME_MAX,
        help_text="What predicted_labels and confidence_scores call the taxonomy. Empty: the taxonomy's own name.",
    )

    def __init__(self, *args: Any, tasks: Iterable[Task], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ordered = sorted(tasks, key=lambda task: (task.taxonomy.name, task.name))
        self._tasks = {str(task.pk): task for task in ordered}
        groups = groupby(ordered, key=lambda task: task.taxonomy.name)
        self.fields["task"].choices = [  # type: ignore[attr-defined] # a ChoiceField
            (taxonomy, [(str(task.pk), _described(task)) for task in group]) for taxonomy, group in groups
        ]

    @property
    def chosen(self) -> Task:
        """The task of a valid form."""
        return self._tasks[self.cleaned_data["task"]]


class SampleForm(PlainForm):
    """A version's sample post data, and the tag of the one that the person saw."""

    sample_post_data = JsonField(
        label="Sample post data",
        required=False,
        help_text="JSON, the shape of BaseModelWrapper.inference()'s item. Empty: none; MOP sends its own inputs.",
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


def _described(task: Task) -> str:
    return f"{task.name} ({task.modality}, {task.label_type}: {', '.join(task.labels)})"
